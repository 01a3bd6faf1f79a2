//! IAM Roles Anywhere (docs.aws.amazon.com/rolesanywhere/latest/APIReference).

use crate::value::members;
use aws_sdk_rolesanywhere::types::{ProfileDetail, Source, SourceData, TrustAnchorDetail};
use serde_json::{Value, json};

fn data(of: &SourceData) -> Value {
    match of {
        SourceData::AcmPcaArn(arn) => json!({ "acmPcaArn": arn }),
        SourceData::X509CertificateData(pem) => json!({ "x509CertificateData": pem }),
        _ => Value::Null,
    }
}

fn source(of: &Source) -> Value {
    members!(of; "sourceType" word source_type, "sourceData" one(data) source_data)
}

fn trust_anchor(of: &TrustAnchorDetail) -> Value {
    members!(of;
        "trustAnchorId" text trust_anchor_id, "trustAnchorArn" text trust_anchor_arn,
        "name" text name, "source" one(source) source, "enabled" flag enabled,
        "createdAt" time created_at, "updatedAt" time updated_at)
}

fn profile(of: &ProfileDetail) -> Value {
    members!(of;
        "profileId" text profile_id, "profileArn" text profile_arn, "name" text name,
        "roleArns" texts role_arns, "managedPolicyArns" texts managed_policy_arns,
        "sessionPolicy" text session_policy, "enabled" flag enabled,
        "durationSeconds" number duration_seconds, "createdAt" time created_at,
        "updatedAt" time updated_at)
}

super::actions! {
    aws_sdk_rolesanywhere::Client;
    "DisableTrustAnchor" disable_trust_anchor [set_trust_anchor_id text "trustAnchorId"]
        |of| members!(of; "trustAnchor" one(trust_anchor) trust_anchor);
    "EnableTrustAnchor" enable_trust_anchor [set_trust_anchor_id text "trustAnchorId"]
        |of| members!(of; "trustAnchor" one(trust_anchor) trust_anchor);
    "GetTrustAnchor" get_trust_anchor [set_trust_anchor_id text "trustAnchorId"]
        |of| members!(of; "trustAnchor" one(trust_anchor) trust_anchor);
    "ListProfiles" list_profiles [set_next_token text "nextToken"]
        |of| members!(of; "profiles" list(profile) profiles, "nextToken" text next_token);
    "ListTrustAnchors" list_trust_anchors [set_next_token text "nextToken"]
        |of| members!(of; "trustAnchors" list(trust_anchor) trust_anchors, "nextToken" text next_token);
}
