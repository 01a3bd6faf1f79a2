//! Documents that AWS refuses, and ones made to be heavy.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use serde_json::{Value, json};
use unchain_policy::{Context, Decision, Layers, Named, Policy, Principal, Request, evaluate};

fn refusal(document: &Value) -> String {
    Policy::parse(&document.to_string())
        .unwrap_err()
        .to_string()
}

fn refused_statement(statement: &Value) -> String {
    refusal(&json!({"Version": "2012-10-17", "Statement": [statement]}))
}

#[test]
fn what_the_grammar_does_not_have_is_refused() {
    let cases = [
        (json!([]), "the document must be a JSON object"),
        (json!({}), "the document has no `Statement`"),
        (
            json!({"Statement": []  , "Statements": []}),
            "unknown element `Statements` in the document",
        ),
        (
            json!({"Version": "2012-10-18", "Statement": []}),
            "`\\\"2012-10-18\\\"` is not a value of `Version` in the document",
        ),
        (
            json!({"Statement": ["x"]}),
            "statement 0 must be a JSON object",
        ),
    ];
    for (document, message) in cases {
        assert_eq!(refusal(&document), message, "{document}");
    }
}

#[test]
fn statements_are_held_to_the_grammar() {
    let cases = [
        (
            json!({"Action": "*", "Resource": "*"}),
            "statement 0 has no `Effect`",
        ),
        (
            json!({"Effect": "deny", "Action": "*"}),
            "`\\\"deny\\\"` is not a value of `Effect` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Resource": "*"}),
            "statement 0 has no `Action`",
        ),
        (
            json!({"Effect": "Deny", "Action": []}),
            "`[]` is not a value of `Action` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "GetObject"}),
            "`\\\"GetObject\\\"` is not a value of `Action` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": 1}),
            "`1` is not a value of `Action` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "NotAction": "*"}),
            "statement 0 has both `Action` and `NotAction`",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Principal": "eve"}),
            "`\\\"eve\\\"` is not a value of `Principal` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Principal": {}}),
            "`{}` is not a value of `Principal` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Principal": {"Group": "x"}}),
            "unknown element `Group` in statement 0",
        ),
    ];
    for (statement, message) in cases {
        assert_eq!(refused_statement(&statement), message, "{statement}");
    }
}

#[test]
fn conditions_are_held_to_the_grammar() {
    let cases = [
        (
            json!({"Effect": "Deny", "Action": "*", "Condition": {"StringIs": {"a:b": "c"}}}),
            "unknown condition operator `StringIs` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Condition": {"NullIfExists": {"a:b": "true"}}}),
            "unknown condition operator `NullIfExists` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Condition": {"StringIs": {}}}),
            "unknown condition operator `StringIs` in statement 0",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Condition": {"Bool": {"a:b": null}}}),
            "`null` is not a value of `a:b` in statement 0",
        ),
    ];
    for (statement, message) in cases {
        assert_eq!(refused_statement(&statement), message, "{statement}");
    }
}

#[test]
fn a_repeated_key_is_refused() {
    let text =
        r#"{"Statement": {"Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    assert!(Policy::parse(text).is_err());
    assert!(Policy::parse(r#"{"Statement": []} x"#).is_err());
}

#[test]
fn errors_defuse_hostile_names() {
    let name = format!("\u{1b}[2J{}", "x".repeat(500));
    let message = refused_statement(&json!({"Effect": "Deny", "Action": "*", name: 1}));
    assert!(
        !message.contains('\u{1b}') && message.len() < 200,
        "{message}"
    );
}

#[test]
fn types_of_policies_have_their_own_elements() {
    let parse = |statement: Value| Policy::from_value(&json!({"Statement": statement})).unwrap();
    let identity = parse(json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    let trust = parse(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}));
    assert!(identity.check_identity_based().is_ok() && trust.check_trust().is_ok());
    assert_eq!(
        trust.check_identity_based().unwrap_err().to_string(),
        "statement 0 may not have `Principal` in an identity-based policy"
    );
    assert_eq!(
        identity.check_trust().unwrap_err().to_string(),
        "statement 0 has no `Principal`"
    );
    let without = parse(json!({"Effect": "Deny", "Action": "*"}));
    assert_eq!(
        without.check_identity_based().unwrap_err().to_string(),
        "statement 0 has no `Resource`"
    );
}

#[test]
fn deep_text_is_refused_and_heavy_patterns_are_answered() {
    assert!(Policy::parse(&"[".repeat(100_000)).is_err());
    let deep = format!(
        "{{\"Statement\": {}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(Policy::parse(&deep).is_err());
    let stars = format!("arn:aws:s3:::{}b", "a*".repeat(300));
    let in_fields = format!("arn:aws:sqs:{}b:1:q", "a*".repeat(300));
    let heavy =
        json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": [stars, in_fields]}});
    let policy = Policy::from_value(&heavy).unwrap();
    let (principal, context) = (
        Principal::from_arn("arn:aws:iam::111122223333:user/eve"),
        Context::new(),
    );
    for resource in ["arn:aws:s3:::", "arn:aws:sqs:"] {
        let request = Request {
            principal: &principal,
            action: "s3:GetObject",
            resource: &format!("{resource}{}", "a".repeat(2000)),
            resource_account: None,
            context: &context,
        };
        let identity = vec![Named {
            name: "heavy",
            policy: &policy,
        }];
        let decision = evaluate(
            &request,
            &Layers {
                identity,
                ..Layers::default()
            },
        );
        assert!(matches!(decision, Decision::ImplicitlyDenied(_)));
    }
}
