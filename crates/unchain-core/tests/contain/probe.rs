//! What the answers to a credential of the lineage prove.

use super::carried::carried_out;
use super::common::{SHOP, settings};
use super::verify::{before, key, later, seed};
use unchain_core::contain::{
    Conclusion, Containment, Denier, Evidence, Reply, Sign, classify, verify,
};
use unchain_core::text::Untrusted;

fn reply(service: &str, action: &str, answer: Option<(u16, &str, &str)>) -> Reply {
    Reply {
        access_key_id: Untrusted::new(key("SPARE")),
        service: service.to_owned(),
        action: action.to_owned(),
        status: Some(answer.map_or(200, |(status, ..)| status)),
        code: answer.map(|(_, code, _)| Untrusted::new(code)),
        message: Untrusted::new(answer.map_or("", |(.., message)| message)),
    }
}

fn sign(answer: Option<(u16, &str, &str)>) -> Sign {
    classify(&reply("iam", "GetUser", answer))
}

#[test]
fn the_words_of_a_refusal_tell_whose_policy_it_was() {
    let explicit = |kind: &str| format!("with an explicit deny in {kind}");
    let encoded = "You are not authorized to perform this operation. Encoded authorization failure message: abc";
    let cases = [
        (
            explicit("an identity-based policy"),
            Sign::OurPolicy(Denier::Identity),
        ),
        (
            explicit("an identity-based policy: arn:aws:iam::111122223333:policy/UnchainContain"),
            Sign::OurPolicy(Denier::Identity),
        ),
        (
            explicit("a service control policy"),
            Sign::OurPolicy(Denier::ServiceControlPolicy),
        ),
        (
            explicit("a permissions boundary"),
            Sign::DeniedOtherwise(Denier::Boundary),
        ),
        (
            explicit("a session policy"),
            Sign::DeniedOtherwise(Denier::Session),
        ),
        (
            explicit("a VPC endpoint policy"),
            Sign::DeniedOtherwise(Denier::Endpoint),
        ),
        (
            explicit("a resource-based policy"),
            Sign::DeniedOtherwise(Denier::Resource),
        ),
        (
            "because no identity-based policy allows the iam:GetUser action".to_owned(),
            Sign::DeniedOtherwise(Denier::Identity),
        ),
        (encoded.to_owned(), Sign::DeniedOtherwise(Denier::Unnamed)),
        (
            "Access Denied".to_owned(),
            Sign::DeniedOtherwise(Denier::Unnamed),
        ),
    ];
    for (words, wanted) in cases {
        let who =
            format!("User: arn:aws:iam::{SHOP}:user/x is not authorized to perform: iam:GetUser");
        for (status, code) in [
            (403, "AccessDenied"),
            (400, "AccessDeniedException"),
            (403, "UnauthorizedOperation"),
        ] {
            let message = format!("{who} on resource: user x {words}");
            assert_eq!(
                sign(Some((status, code, &message))),
                wanted,
                "{code} {words}"
            );
        }
        // A service that fails says nothing, whatever it says.
        assert_eq!(sign(Some((503, "AccessDenied", &words))), Sign::Nothing);
    }
}

#[test]
fn codes_tell_what_ended_a_credential() {
    let cases = [
        (403, "InvalidClientTokenId", Sign::DeadKey),
        (403, "InvalidAccessKeyId", Sign::DeadKey),
        (401, "AuthFailure", Sign::DeadKey),
        (403, "AuthFailure", Sign::Nothing),
        (400, "UnrecognizedClientException", Sign::DeadKey),
        (403, "ExpiredToken", Sign::Expired),
        (400, "ExpiredTokenException", Sign::Expired),
        (400, "RequestExpired", Sign::Expired),
        (403, "SignatureDoesNotMatch", Sign::Nothing),
        (400, "Throttling", Sign::Nothing),
        (429, "AccessDenied", Sign::Nothing),
        (404, "NoSuchEntity", Sign::Lives),
        (412, "DryRunOperation", Sign::Lives),
        (400, "SomethingNew", Sign::Nothing),
    ];
    for (status, code, wanted) in cases {
        assert_eq!(sign(Some((status, code, ""))), wanted, "{code}");
    }
    assert_eq!(sign(None), Sign::Lives);
    assert_eq!(
        classify(&reply("sts", "GetCallerIdentity", None)),
        Sign::Nothing
    );
}

#[test]
fn a_credential_that_is_answered_refutes_what_the_policies_say() {
    let plan = seed(&settings());
    let facts = carried_out(&before(), &plan, |_| false);
    let said = |replies: &[Reply]| {
        let evidence = Evidence {
            facts: Some(&facts),
            report: None,
            receipts: &[],
            replies,
        };
        verify(&plan, evidence, later())
    };
    let dead = reply("iam", "GetUser", Some((403, "InvalidClientTokenId", "")));
    let lives = reply("iam", "ListAccountAliases", None);
    let who = reply("sts", "GetCallerIdentity", None);
    assert_eq!(
        said(std::slice::from_ref(&dead)).probe.conclusion,
        Conclusion::Proven
    );
    let both = said(&[dead.clone(), lives]);
    assert_eq!(both.outcome, Containment::Lives);
    assert_eq!(both.snapshot.conclusion, Conclusion::Proven);
    assert!(matches!(
        said(std::slice::from_ref(&who)).probe.conclusion,
        Conclusion::Unknown(_)
    ));
    assert_eq!(said(&[who, dead]).probe.conclusion, Conclusion::Proven);
    // The key of somebody else proves nothing.
    let mut other = reply("iam", "GetUser", None);
    other.access_key_id = Untrusted::new("AKIAIOSFODNN7EXAMPLE");
    assert!(matches!(
        said(&[other]).probe.conclusion,
        Conclusion::Unknown(_)
    ));
    // SPARE is a long-term key: an answer that says it is expired means that the clock is off.
    let expired = reply("iam", "GetUser", Some((403, "ExpiredToken", "")));
    assert!(matches!(
        said(&[expired]).probe.conclusion,
        Conclusion::Unknown(_)
    ));
}
