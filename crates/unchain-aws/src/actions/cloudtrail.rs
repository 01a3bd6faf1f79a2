//! CloudTrail (docs.aws.amazon.com/awscloudtrail/latest/APIReference).
//!
//! The records that `LookupEvents` answers with may hold session tokens: they are for reading, and for no journal.

use crate::given::{Given, wrong};
use crate::value::members;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, DataResource, Event, EventSelector,
    LookupAttribute, LookupAttributeKey, Resource, Trail,
};
use serde_json::Value;
use unchain_core::contain::Refusal;

fn trail(of: &Trail) -> Value {
    members!(of;
        "Name" text name, "S3BucketName" text s3_bucket_name, "S3KeyPrefix" text s3_key_prefix,
        "IncludeGlobalServiceEvents" flag include_global_service_events,
        "IsMultiRegionTrail" flag is_multi_region_trail, "HomeRegion" text home_region,
        "TrailARN" text trail_arn, "LogFileValidationEnabled" flag log_file_validation_enabled,
        "CloudWatchLogsLogGroupArn" text cloud_watch_logs_log_group_arn,
        "KmsKeyId" text kms_key_id, "HasCustomEventSelectors" flag has_custom_event_selectors,
        "HasInsightSelectors" flag has_insight_selectors,
        "IsOrganizationTrail" flag is_organization_trail)
}

fn resource(of: &DataResource) -> Value {
    members!(of; "Type" text r#type, "Values" texts values)
}

fn selector(of: &EventSelector) -> Value {
    members!(of;
        "ReadWriteType" word read_write_type,
        "IncludeManagementEvents" flag include_management_events,
        "DataResources" list(resource) data_resources,
        "ExcludeManagementEventSources" texts exclude_management_event_sources)
}

fn field(of: &AdvancedFieldSelector) -> Value {
    members!(of;
        "Field" text field, "Equals" some_texts equals, "StartsWith" some_texts starts_with,
        "EndsWith" some_texts ends_with, "NotEquals" some_texts not_equals,
        "NotStartsWith" some_texts not_starts_with, "NotEndsWith" some_texts not_ends_with)
}

fn advanced(of: &AdvancedEventSelector) -> Value {
    members!(of; "Name" text name, "FieldSelectors" list(field) field_selectors)
}

fn touched(of: &Resource) -> Value {
    members!(of; "ResourceType" text resource_type, "ResourceName" text resource_name)
}

fn event(of: &Event) -> Value {
    members!(of;
        "EventId" text event_id, "EventName" text event_name, "ReadOnly" text read_only,
        "AccessKeyId" text access_key_id, "EventTime" time event_time,
        "EventSource" text event_source, "Username" text username,
        "Resources" list(touched) resources, "CloudTrailEvent" text cloud_trail_event)
}

impl Given {
    /// `[{"AttributeKey": …, "AttributeValue": …}]`.
    fn attributes(&mut self, member: &str) -> Result<Option<Vec<LookupAttribute>>, Refusal> {
        let Some(value) = self.value(member) else {
            return Ok(None);
        };
        let attribute = |value: &Value| {
            let text = |name: &str| value.get(name)?.as_str();
            let key = LookupAttributeKey::from(text("AttributeKey")?);
            let built = LookupAttribute::builder().attribute_key(key);
            built.attribute_value(text("AttributeValue")?).build().ok()
        };
        let items = value.as_array().into_iter().flatten();
        let all: Option<Vec<LookupAttribute>> = items.map(attribute).collect();
        let whole = all.filter(|_| value.is_array());
        whole
            .map(Some)
            .ok_or_else(|| wrong(member, "a list of lookup attributes"))
    }
}

super::actions! {
    aws_sdk_cloudtrail::Client;
    "DescribeTrails" describe_trails
        [set_trail_name_list texts "trailNameList", set_include_shadow_trails flag "includeShadowTrails"]
        |of| members!(of; "trailList" list(trail) trail_list);
    "GetEventSelectors" get_event_selectors [set_trail_name text "TrailName"]
        |of| members!(of;
            "TrailARN" text trail_arn, "EventSelectors" some(selector) event_selectors,
            "AdvancedEventSelectors" some(advanced) advanced_event_selectors);
    "GetTrailStatus" get_trail_status [set_name text "Name"]
        |of| members!(of;
            "IsLogging" flag is_logging, "LatestDeliveryError" text latest_delivery_error,
            "LatestDeliveryTime" time latest_delivery_time,
            "StartLoggingTime" time start_logging_time, "StopLoggingTime" time stop_logging_time,
            "LatestDigestDeliveryTime" time latest_digest_delivery_time,
            "LatestDigestDeliveryError" text latest_digest_delivery_error);
    "LookupEvents" lookup_events
        [set_lookup_attributes attributes "LookupAttributes", set_start_time time "StartTime",
         set_end_time time "EndTime", set_event_category text "EventCategory",
         set_max_results number "MaxResults", set_next_token text "NextToken"]
        |of| members!(of; "Events" list(event) events, "NextToken" text next_token);
}
