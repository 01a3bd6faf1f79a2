//! CloudTrail's own API (docs.aws.amazon.com/awscloudtrail/latest/APIReference/).

use serde_json::{Map, Value, json};

use super::trails::{Place, Trail};
use super::{State, deliver, digest, lookup, trails};
use crate::call::{Call, Fault, Reply};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

const fn operation(
    name: &'static str,
    read_only: bool,
    permission: Permission,
    run: fn(&mut World, &Call<'_>) -> Result<Reply, Fault>,
) -> Operation {
    Operation {
        service: Service::CloudTrail,
        name,
        read_only,
        event: Event::Management,
        permission,
        run,
    }
}

const OF_TRAIL: Permission = Permission::Asks(ask);

/// Its operations.
pub const OPERATIONS: &[Operation] = &[
    operation("CreateTrail", false, OF_TRAIL, create),
    operation("UpdateTrail", false, OF_TRAIL, update),
    operation("DeleteTrail", false, OF_TRAIL, delete),
    operation("DescribeTrails", true, Permission::Any, describe),
    operation("GetTrail", true, OF_TRAIL, get),
    operation("GetTrailStatus", true, OF_TRAIL, status),
    operation("ListTrails", true, Permission::Any, list),
    operation("StartLogging", false, OF_TRAIL, start),
    operation("StopLogging", false, OF_TRAIL, stop),
    operation("PutEventSelectors", false, OF_TRAIL, put_selectors),
    operation("GetEventSelectors", true, OF_TRAIL, get_selectors),
    operation("ListPublicKeys", true, Permission::Any, public_keys),
    operation("ListTags", true, OF_TRAIL, list_tags),
    operation("AddTags", false, OF_TRAIL, add_tags),
    operation("RemoveTags", false, OF_TRAIL, remove_tags),
    operation("LookupEvents", true, Permission::Any, lookup::lookup),
];

/// The trail that a call names, as the action's resource.
fn ask(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let action = format!("cloudtrail:{}", call.operation.name);
    let named: Vec<String> = match call.list("ResourceIdList") {
        [] => ["Name", "TrailName", "ResourceId"]
            .iter()
            .find_map(|name| call.text(name))
            .into_iter()
            .collect(),
        list => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    };
    if named.is_empty() {
        return Ok(vec![Ask::on(action, "*")]);
    }
    let asks = named
        .iter()
        .map(|name| Ask::on(action.clone(), arn_of(call, name)));
    Ok(asks.collect())
}

fn arn_of(call: &Call<'_>, name: &str) -> String {
    if name.starts_with("arn:") {
        name.to_owned()
    } else {
        trails::arn(&call.caller.account, &call.region, name)
    }
}

fn not_found(arn: &str, account: &str) -> Fault {
    let message = format!("Unknown trail: {arn} for the user: {account}");
    Fault::api(400, "TrailNotFoundException", message)
}

/// The ARN of the trail that a parameter names: by ARN, by name in the call's region, or as a trail of all regions
/// whose home is elsewhere.
fn find(state: &State, call: &Call<'_>, parameter: &str) -> Result<String, Fault> {
    let name = call.required(parameter)?;
    let arn = arn_of(call, &name);
    let account = &call.caller.account;
    let mine = |trail: &&Trail| trail.account == *account && !trail.is_own();
    let found = state.trails.get(&arn).filter(mine).or_else(|| {
        let mut trails = state.trails.values().filter(mine);
        trails.find(|trail| trail.name == name && trail.multi_region)
    });
    let found = found.map(|trail| trail.arn.clone());
    found.ok_or_else(|| not_found(&arn, account))
}

/// As [`find`], for calls that must be made in the trail's home region.
fn find_at_home(state: &State, call: &Call<'_>, parameter: &str) -> Result<String, Fault> {
    let arn = find(state, call, parameter)?;
    match state.trails.get(&arn) {
        Some(trail) if trail.home != call.region => {
            let message = format!(
                "Trail {arn} must be updated from its home region {}.",
                trail.home
            );
            Err(Fault::api(400, "InvalidHomeRegionException", message))
        }
        _ => Ok(arn),
    }
}

fn trail_mut<'a>(world: &'a mut World, call: &Call<'_>, arn: &str) -> Result<&'a mut Trail, Fault> {
    let trail = world.trail.trails.get_mut(arn);
    trail.ok_or_else(|| not_found(arn, &call.caller.account))
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, account) = (call.required("Name")?, &call.caller.account);
    check_name(&name)?;
    let arn = trails::arn(account, &call.region, &name);
    if world.trail.trails.contains_key(&arn) {
        let message = format!("Trail {name} already exists for customer: {account}");
        return Err(Fault::api(400, "TrailAlreadyExistsException", message));
    }
    let here = world.trail.trails.values();
    if here
        .filter(|trail| trail.account == *account && trail.home == call.region)
        .count()
        >= 5
    {
        let message = format!("User: {account} already has 5 trails in {}.", call.region);
        return Err(Fault::api(
            400,
            "MaximumNumberOfTrailsExceededException",
            message,
        ));
    }
    let place = Place::Bucket {
        name: call.required("S3BucketName")?,
        prefix: None,
    };
    let mut trail = Trail::new(&name, account, &call.region, place);
    settings(world, &mut trail, call)?;
    tag(&mut trail, call.list("TagsList"))?;
    let answer = shown(&trail);
    world.trail.trails.insert(arn, trail);
    Ok(Reply::of(answer))
}

fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find_at_home(&world.trail, call, "Name")?;
    let mut trail = trail_mut(world, call, &arn)?.clone();
    settings(world, &mut trail, call)?;
    if !trail.validation {
        trail.chains.clear();
    }
    let answer = shown(&trail);
    *trail_mut(world, call, &arn)? = trail;
    Ok(Reply::of(answer))
}

/// Three to 128 letters, digits, dots, underscores and hyphens, not an address.
fn check_name(name: &str) -> Result<(), Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let good = (3..=128).contains(&name.len())
        && name.bytes().all(allowed)
        && ends(name.bytes().next())
        && ends(name.bytes().next_back())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err();
    if good {
        return Ok(());
    }
    let message =
        "Trail name must be between 3 and 128 characters of letters, digits, '.', '_' and '-'.";
    Err(Fault::api(400, "InvalidTrailNameException", message))
}

/// Takes over the settings that a call gives.
fn settings(world: &World, trail: &mut Trail, call: &Call<'_>) -> Result<(), Fault> {
    let flag = |name: &str| call.params.get(name).and_then(Value::as_bool);
    trail.global_events = flag("IncludeGlobalServiceEvents").unwrap_or(trail.global_events);
    trail.multi_region = flag("IsMultiRegionTrail").unwrap_or(trail.multi_region);
    trail.validation = flag("EnableLogFileValidation").unwrap_or(trail.validation);
    trail.organization = flag("IsOrganizationTrail").unwrap_or(trail.organization);
    if trail.multi_region && !trail.global_events {
        let message = "Multi-Region trail must include global service events.";
        return Err(Fault::api(
            400,
            "InvalidParameterCombinationException",
            message,
        ));
    }
    if let Some(topic) = call.text("SnsTopicName") {
        let arn = format!("arn:aws:sns:{}:{}:{topic}", trail.home, trail.account);
        trail.topic = Some(if topic.starts_with("arn:") {
            topic
        } else {
            arn
        });
    }
    for name in [
        "CloudWatchLogsLogGroupArn",
        "CloudWatchLogsRoleArn",
        "KmsKeyId",
    ] {
        trail
            .kept
            .extend(call.text(name).map(|value| (name.to_owned(), value)));
    }
    if let Place::Bucket { name, prefix } = &mut trail.place {
        *name = call.text("S3BucketName").unwrap_or(std::mem::take(name));
        *prefix = call
            .text("S3KeyPrefix")
            .or(prefix.take())
            .filter(|prefix| !prefix.is_empty());
    }
    if trail.organization {
        manages(world, &trail.account)?;
    }
    super::bucket_check::check(world, trail)
}

/// An organization's trail is the management account's, or a delegated administrator's.
fn manages(world: &World, account: &str) -> Result<(), Fault> {
    let Some((_, management)) = super::place::organization(world, account) else {
        let message = "The account does not belong to an organization.";
        return Err(Fault::api(400, "OrganizationsNotInUseException", message));
    };
    let delegated = crate::organizations::is_delegated(world, account, super::place::SERVICE);
    if management == account || delegated {
        return Ok(());
    }
    let message = "Only the management account can make a trail of the organization.";
    Err(Fault::api(
        400,
        "NotOrganizationMasterAccountException",
        message,
    ))
}

fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find_at_home(&world.trail, call, "Name")?;
    deliver::deliver_trail(world, &arn);
    world.trail.trails.remove(&arn);
    Ok(Reply::default())
}

fn start(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find_at_home(&world.trail, call, "Name")?;
    let (now, region) = (world.now, call.region.clone());
    let trail = trail_mut(world, call, &arn)?;
    if !trail.logging {
        trail.logging = true;
        trail.status.started = Some(now);
        if trail.validation {
            let chain = digest::Chain::new(&trail.account, &region, now);
            let name = format!("{} {region}", trail.account);
            trail.chains.entry(name).or_insert(chain);
        }
    }
    world.trail.due = deliver::next_due(world, world.settings.delivery_interval);
    Ok(Reply::default())
}

/// What was logged until now is delivered, and a last digest written. The call itself is not in the trail it stops
/// any more, but in the event history.
fn stop(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find_at_home(&world.trail, call, "Name")?;
    deliver::deliver_trail(world, &arn);
    deliver::with_trail(world, &arn, |world, trail| {
        if trail.logging {
            digest::end_all(world, trail);
            trail.logging = false;
            trail.status.stopped = Some(world.now);
        }
    });
    Ok(Reply::default())
}

/// A trail as `CreateTrail` and `UpdateTrail` answer.
fn shown(trail: &Trail) -> Value {
    let mut shown = Map::new();
    shown.insert("Name".to_owned(), trail.name.clone().into());
    shown.insert("S3BucketName".to_owned(), trail.bucket().into());
    if let Place::Bucket {
        prefix: Some(prefix),
        ..
    } = &trail.place
    {
        shown.insert("S3KeyPrefix".to_owned(), prefix.clone().into());
    }
    if let Some(topic) = &trail.topic {
        let name = topic.rsplit(':').next().unwrap_or_default();
        shown.insert("SnsTopicName".to_owned(), name.into());
        shown.insert("SnsTopicARN".to_owned(), topic.clone().into());
    }
    let flags = [
        ("IncludeGlobalServiceEvents", trail.global_events),
        ("IsMultiRegionTrail", trail.multi_region),
    ];
    shown.extend(flags.map(|(name, value)| (name.to_owned(), value.into())));
    shown.insert("TrailARN".to_owned(), trail.arn.clone().into());
    shown.insert(
        "LogFileValidationEnabled".to_owned(),
        trail.validation.into(),
    );
    for (name, value) in &trail.kept {
        shown.insert(name.clone(), value.clone().into());
    }
    shown.insert("IsOrganizationTrail".to_owned(), trail.organization.into());
    Value::Object(shown)
}

/// … and as `GetTrail` and `DescribeTrails` do.
fn described(trail: &Trail) -> Value {
    let mut described = shown(trail);
    let custom = !trail.selectors.is_empty() || !trail.advanced.is_empty();
    if let Some(members) = described.as_object_mut() {
        members.insert("HomeRegion".to_owned(), trail.home.clone().into());
        members.insert("HasCustomEventSelectors".to_owned(), custom.into());
        members.insert("HasInsightSelectors".to_owned(), false.into());
    }
    described
}

/// Whether a trail shows in a call's region: as its own, or as the shadow of one of all regions; members of an
/// organization do not see the trail of the organization in this lab.
fn visible(trail: &Trail, call: &Call<'_>) -> bool {
    trail.account == call.caller.account && !trail.is_own()
}

fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let shadows = call
        .params
        .get("includeShadowTrails")
        .and_then(Value::as_bool);
    let named = call.list("trailNameList");
    let wanted = |trail: &&Trail| {
        let local = trail.home == call.region;
        let name_or_arn = |name: &Value| {
            name.as_str() == Some(&trail.arn) || (name.as_str() == Some(&trail.name))
        };
        visible(trail, call)
            && (local || (trail.multi_region && shadows.unwrap_or(true)))
            && (named.is_empty() || named.iter().any(name_or_arn))
    };
    let trails = world.trail.trails.values().filter(wanted).map(described);
    Ok(Reply::of(json!({"trailList": trails.collect::<Vec<_>>()})))
}

fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find(&world.trail, call, "Name")?;
    let trail = described(trail_mut(world, call, &arn)?);
    Ok(Reply::of(json!({"Trail": trail})))
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let trails = world.trail.trails.values();
    let trails = trails
        .filter(|trail| visible(trail, call))
        .map(|trail| json!({"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.home}));
    Ok(Reply::of(json!({"Trails": trails.collect::<Vec<_>>()})))
}

fn status(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find(&world.trail, call, "Name")?;
    let trail = trail_mut(world, call, &arn)?;
    let status = &trail.status;
    let mut answer = Map::new();
    answer.insert("IsLogging".to_owned(), trail.logging.into());
    let times = [
        ("LatestDeliveryTime", status.delivered),
        ("LatestNotificationTime", status.notified),
        ("StartLoggingTime", status.started),
        ("StopLoggingTime", status.stopped),
        ("LatestDigestDeliveryTime", status.digested),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            answer.insert(name.to_owned(), json!({"$time": time}));
        }
    }
    if let Some(error) = &status.delivery_error {
        answer.insert("LatestDeliveryError".to_owned(), error.clone().into());
    }
    Ok(Reply::of(Value::Object(answer)))
}

fn put_selectors(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find_at_home(&world.trail, call, "TrailName")?;
    let (basic, advanced) = (
        call.list("EventSelectors").to_vec(),
        call.list("AdvancedEventSelectors").to_vec(),
    );
    if basic.is_empty() == advanced.is_empty() || basic.len() > 5 {
        let message =
            "Specify up to five event selectors, or advanced event selectors, and not both.";
        return Err(Fault::api(400, "InvalidEventSelectorsException", message));
    }
    let trail = trail_mut(world, call, &arn)?;
    (trail.selectors, trail.advanced) = (basic, advanced);
    let answer = selectors(trail);
    Ok(Reply::of(answer))
}

fn get_selectors(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = find(&world.trail, call, "TrailName")?;
    let trail = trail_mut(world, call, &arn)?;
    Ok(Reply::of(selectors(trail)))
}

fn selectors(trail: &Trail) -> Value {
    if !trail.advanced.is_empty() {
        return json!({"TrailARN": trail.arn, "AdvancedEventSelectors": trail.advanced});
    }
    let all = || {
        vec![json!({
            "ReadWriteType": "All", "IncludeManagementEvents": true,
            "DataResources": [], "ExcludeManagementEventSources": [],
        })]
    };
    let selectors = Some(&trail.selectors).filter(|selectors| !selectors.is_empty());
    let selectors = selectors.cloned().unwrap_or_else(all);
    json!({"TrailARN": trail.arn, "EventSelectors": selectors})
}

/// The region's key; it is good until long after the story.
fn public_keys(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    const DECADE: i64 = 3650 * 86_400;
    let keys = world.trail.keys.get(&call.region).into_iter().map(|key| {
        json!({
            "Value": key.public, "Fingerprint": key.fingerprint,
            "ValidityStartTime": {"$time": key.made_at - DECADE},
            "ValidityEndTime": {"$time": key.made_at + DECADE},
        })
    });
    Ok(Reply::of(
        json!({"PublicKeyList": keys.collect::<Vec<_>>()}),
    ))
}

fn list_tags(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let mut listed = Vec::new();
    for id in call.list("ResourceIdList").iter().filter_map(Value::as_str) {
        let trail = trail_mut(world, call, id).map_err(|_| missing(id))?;
        let tags = trail
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}));
        listed.push(json!({"ResourceId": id, "TagsList": tags.collect::<Vec<_>>()}));
    }
    Ok(Reply::of(json!({"ResourceTagList": listed})))
}

fn missing(id: &str) -> Fault {
    let message = format!("Resource {id} was not found.");
    Fault::api(400, "ResourceNotFoundException", message)
}

fn add_tags(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("ResourceId")?;
    let trail = trail_mut(world, call, &id).map_err(|_| missing(&id))?;
    tag(trail, call.list("TagsList"))?;
    Ok(Reply::default())
}

fn remove_tags(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("ResourceId")?;
    let trail = trail_mut(world, call, &id).map_err(|_| missing(&id))?;
    for tag in call.list("TagsList") {
        let key = tag.get("Key").and_then(Value::as_str);
        trail.tags.remove(key.unwrap_or_default());
    }
    Ok(Reply::default())
}

fn tag(trail: &mut Trail, tags: &[Value]) -> Result<(), Fault> {
    for tag in tags {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        let key = text("Key")
            .ok_or_else(|| Fault::api(400, "InvalidTagParameterException", "A tag needs a key."))?;
        trail.tags.insert(key, text("Value").unwrap_or_default());
    }
    if trail.tags.len() > 50 {
        let message = "A resource can have 50 tags.";
        return Err(Fault::api(400, "TagsLimitExceededException", message));
    }
    Ok(())
}
