//! What must hold of every page: it is usable without sight, and reaches for nothing outside.

use crate::html::{Page, read};

/// Every element and attribute that our templates write.
const ELEMENTS: &str = "html head meta title link body a header nav ul li form label input select option button main \
                        h1 h2 p footer div table caption thead tbody tr th td br span bdi time dl dt dd ol code \
                        details summary script article section progress pre textarea fieldset legend strong svg svg:title \
                        path line rect text g";
const ATTRIBUTES: &str = "lang charset name content rel href class id aria-label aria-current aria-sort action method \
                          for value size autocomplete spellcheck selected role tabindex scope datetime data-word type \
                          src aria-hidden data-from data-to data-at data-status data-states x y x1 x2 y1 y2 d \
                          width height viewbox preserveaspectratio data-events data-journal data-said aria-labelledby \
                          max colspan required minlength maxlength checked rows open transform data-basis";

fn check_elements(page: &Page) {
    let known = |list: &str, name: &str| list.split_whitespace().any(|known| known == name);
    for (name, attributes) in &page.tags {
        assert!(known(ELEMENTS, name), "<{name}>");
        for (attribute, value) in attributes {
            assert!(known(ATTRIBUTES, attribute), "{name} {attribute}={value}");
        }
        for place in ["href", "action"]
            .iter()
            .filter_map(|place| attributes.get(*place))
        {
            let inside = place.starts_with('/') && !place.starts_with("//");
            assert!(inside || place == "#main" || place == "#uses", "{place}");
        }
        if name == "script" {
            assert!(attributes["src"].starts_with("/script/"), "{attributes:?}");
            assert_eq!((attributes.len(), &*attributes["type"]), (2, "module"));
        }
        assert!(
            name != "th" || attributes.contains_key("scope"),
            "a heading of nothing"
        );
        let hidden = attributes.get("type").is_some_and(|kind| kind == "hidden");
        if ["input", "select", "textarea"].contains(&&**name) && !hidden {
            assert!(
                page.values("label", "for").contains(&&*attributes["id"]),
                "{attributes:?}"
            );
        }
    }
}

/// Reads a page and checks what must hold of every page.
pub(crate) fn inspected(html: &str) -> Page {
    let page = read(html);
    check_elements(&page);
    for once in ["h1", "main", "title", "header", "footer"] {
        assert_eq!(page.count(once), 1, "{once}");
    }
    assert_eq!(page.values("html", "lang"), ["en"]);
    let ids: Vec<&String> = page
        .tags
        .iter()
        .filter_map(|(_, attributes)| attributes.get("id"))
        .collect();
    assert!(
        ids.iter()
            .all(|id| ids.iter().filter(|other| other == &id).count() == 1),
        "{ids:?}"
    );
    page
}
