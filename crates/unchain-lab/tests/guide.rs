//! The guide's table of operations is what the lab has.

use unchain_lab::operation::Event;
use unchain_lab::service::Service;

const GUIDE: &str = include_str!("../../../docs/lab.md");

/// The table in Markdown, services in their order, operations by name.
fn table() -> String {
    let mut out = String::from("\n| service | operations |\n|---|---|\n");
    for service in Service::ALL {
        let mut names: Vec<String> = service
            .operations()
            .iter()
            .map(|operation| match operation.event {
                Event::Data => format!("*{}*", operation.name),
                Event::Management | Event::None => operation.name.to_owned(),
            })
            .collect();
        names.sort_by_key(|name| name.trim_matches('*').to_owned());
        out.push_str(&format!(
            "| `{}` | {} |\n",
            service.name(),
            names.join(", ")
        ));
    }
    out.push('\n');
    out
}

#[test]
fn the_guide_lists_every_operation() {
    let (_, rest) = GUIDE.split_once("<!-- operations -->\n").expect("a mark");
    let (told, _) = rest.split_once("<!-- /operations -->").expect("a mark");
    let table = table();
    assert!(
        told == table,
        "docs/lab.md should have, between its marks:\n{table}"
    );
}
