//! Identifiers: what is read prints as it was, and an ARN is the sum of its parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unchain_core::id::{
    AccessKeyId, AccountId, Arn, EventId, Field, Id, MfaSerial, PrincipalId, RoleSessionName,
    SourceIdentity, uuid_text,
};

fuzz_target!(|text: &str| {
    if let Ok(arn) = Arn::parse(text) {
        assert_eq!(arn.to_string(), text);
        let region = text.split(':').nth(3).expect("an ARN has six parts");
        let parts = [
            arn.partition(),
            arn.service(),
            region,
            arn.account(),
            arn.resource(),
        ]
        .join(":");
        assert_eq!(format!("arn:{parts}"), text);
        assert!(arn.resource().ends_with(arn.name()));
    }
    if let Ok(id) = EventId::parse(text) {
        assert_eq!(uuid_text(id.bytes()), text);
    }
    if let Ok(key) = AccessKeyId::parse(text) {
        assert!(
            key.account()
                .is_none_or(|account| AccountId::parse(&account).is_ok())
        );
    }
    if let Ok(principal) = PrincipalId::parse(text) {
        let parts = [Some(principal.unique_id()), principal.session()]
            .into_iter()
            .flatten();
        assert_eq!(parts.collect::<Vec<_>>().join(":"), text);
    }
    survives::<AccessKeyId<'_>>(text);
    survives::<AccountId<'_>>(text);
    survives::<Arn<'_>>(text);
    survives::<EventId<'_>>(text);
    survives::<MfaSerial<'_>>(text);
    survives::<PrincipalId<'_>>(text);
    survives::<RoleSessionName<'_>>(text);
    survives::<SourceIdentity<'_>>(text);
});

/// A text that is no identifier is kept as it was.
fn survives<'a, T: Id<'a>>(text: &'a str) {
    assert_eq!(Field::<T>::read(text).as_str(), text);
}
