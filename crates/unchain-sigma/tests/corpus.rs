//! Published rules over recorded trails. They are not in this repository; UNCHAIN_CORPUS says where they are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail where the test should, and a skipped test says so"
)]

mod common;

use common::{corpus, each_record};
use unchain_sigma::{Enrichment, Evaluator, Hits, Rules};

#[test]
fn published_rules_load_unchanged() {
    let Some(corpus) = corpus() else { return };
    for (folder, rules, correlations) in [("sigma/sigmahq", 57, 0), ("sigma/suzaku", 740, 5)] {
        let loaded = Rules::load(&corpus.join(folder)).unwrap();
        let unusable: Vec<_> = loaded
            .unusable()
            .iter()
            .map(|u| (u.path.raw(), u.reason.raw()))
            .collect();
        assert_eq!(unusable, [], "{folder}");
        println!("{folder}: {} always asked", loaded.always_asked());
        assert_eq!(
            (loaded.rules().len(), loaded.correlations().len()),
            (rules, correlations),
            "{folder}"
        );
    }
}

#[test]
fn asking_fewer_rules_finds_the_same() {
    let Some(corpus) = corpus() else { return };
    let rules = Rules::load(&corpus.join("sigma")).unwrap();
    let (mut some, mut every) = (Evaluator::new(&rules), Evaluator::thorough(&rules));
    let (mut records, mut found) = (0, 0);
    for folder in ["recorded", "ndjson", "edge"] {
        each_record(&corpus.join(folder), |event, record| {
            let ask = (event, record);
            let fewer = some.matching(ask, Enrichment::default);
            assert_eq!(
                fewer,
                every.matching(ask, Enrichment::default),
                "{}",
                event.id
            );
            records += 1;
            found += fewer.len();
        });
    }
    println!("{records} records, {found} hits");
    assert!(
        records > 5_000 && found > 1_000,
        "{records} records, {found} hits"
    );
}

#[test]
fn correlations_of_published_rules_fire_on_recorded_trails() {
    let Some(corpus) = corpus() else { return };
    let rules = Rules::load(&corpus.join("sigma")).unwrap();
    let mut evaluator = Evaluator::new(&rules);
    let mut hits = Hits::default();
    each_record(&corpus.join("recorded"), |event, record| {
        evaluator.event((event, record), Enrichment::default, &mut hits);
    });
    let tally = hits.tally(&rules);
    let mut titles: Vec<&str> = tally
        .correlations
        .iter()
        .filter_map(|hit| rules.correlations().get(hit.correlation))
        .map(|correlation| correlation.words.title.raw())
        .collect();
    titles.dedup();
    println!("{titles:?}");
    assert!(titles.contains(&"Many Recon Events"), "{titles:?}");
}
