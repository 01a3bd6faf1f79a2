//! Which member of a record comes next: nearly always the one that came next the last time.
//!
//! Must not know what the members mean.

use crate::json::shapes::Stretch;
use crate::json::walk;

/// The members of a record that are told apart. Those up to `Details` may come once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Time,
    Name,
    Source,
    Id,
    Region,
    Address,
    UserAgent,
    ErrorCode,
    Recipient,
    SharedId,
    VpcEndpoint,
    Type,
    Category,
    Management,
    ReadOnly,
    FromConsole,
    ErrorMessage,
    Identity,
    Request,
    Response,
    Additional,
    Details,
    Tls,
    Resources,
    Version,
    RequestId,
    Other,
    /// Before the opening brace.
    Start,
    /// The closing brace.
    End,
}

/// How many kinds of members there are.
const MEMBERS: usize = Member::End as usize + 1;

impl Member {
    /// `None` for a member that the plain path decides on.
    fn named(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"eventTime" => Self::Time,
            b"eventName" => Self::Name,
            b"eventSource" => Self::Source,
            b"eventID" => Self::Id,
            b"awsRegion" => Self::Region,
            b"sourceIPAddress" => Self::Address,
            b"userAgent" => Self::UserAgent,
            b"errorCode" => Self::ErrorCode,
            b"recipientAccountId" => Self::Recipient,
            b"sharedEventID" => Self::SharedId,
            b"vpcEndpointId" => Self::VpcEndpoint,
            b"eventType" => Self::Type,
            b"eventCategory" => Self::Category,
            b"managementEvent" => Self::Management,
            b"readOnly" => Self::ReadOnly,
            b"sessionCredentialFromConsole" => Self::FromConsole,
            b"errorMessage" => Self::ErrorMessage,
            b"userIdentity" => Self::Identity,
            b"requestParameters" => Self::Request,
            b"responseElements" => Self::Response,
            b"additionalEventData" => Self::Additional,
            b"serviceEventDetails" => Self::Details,
            b"tlsDetails" => Self::Tls,
            b"resources" => Self::Resources,
            b"eventVersion" => Self::Version,
            b"requestID" => Self::RequestId,
            b"@timestamp" => return None,
            _ => Self::Other,
        })
    }

    /// A bit for each member that may come once, none for the others.
    #[inline(always)]
    pub(super) const fn bit(self) -> u64 {
        let bit = 1 << self as u32;
        bit & ((2 << Self::Details as u32) - 1)
    }
}

/// What stood between the values of the records before.
#[derive(Debug)]
pub(super) struct Order {
    /// For each member what came behind its value, the latest first; none where nothing is remembered.
    behind: Option<Box<[[Step; 2]; MEMBERS]>>,
}

/// The text from behind one value to the next: comma, key and colon, or the closing brace.
#[derive(Clone, Copy, Debug)]
struct Step {
    text: Stretch,
    member: Member,
}

impl Default for Order {
    fn default() -> Self {
        let unused = Step {
            text: Stretch::NONE,
            member: Member::End,
        };
        Self {
            behind: Some(Box::new([[unused; 2]; MEMBERS])),
        }
    }
}

impl Order {
    /// One that does not remember.
    pub(super) fn nothing() -> Self {
        Self { behind: None }
    }

    /// The member behind the value of `last`, which ends before `at`, and the place of its value; or
    /// [`Member::End`] and the place behind the record.
    #[inline(always)]
    pub(super) fn next(
        &mut self,
        bytes: &[u8],
        at: usize,
        last: Member,
    ) -> Option<(Member, usize)> {
        if let (Some(text), Some(behind)) = (walk::chunk_at(bytes, at), &self.behind)
            && let Some([latest, other]) = behind.get(last as usize)
        {
            for step in [latest, other] {
                if step.text.is_at(text) {
                    let behind = at + step.text.len();
                    // There may be more white space than the last time.
                    let behind = match step.member {
                        Member::End => behind,
                        _ => walk::space(bytes, behind),
                    };
                    return Some((step.member, behind));
                }
            }
        }
        self.learn(bytes, at, last)
    }

    /// Reads what is behind a value, and remembers it.
    #[cold]
    fn learn(&mut self, bytes: &[u8], at: usize, last: Member) -> Option<(Member, usize)> {
        let (member, behind) = read(bytes, at, last)?;
        if let (Some(text), Some(steps)) = (walk::chunk_at(bytes, at), &mut self.behind)
            && let Some(steps) = steps.get_mut(last as usize)
            && let Some(text) = Stretch::new(text, behind - at)
        {
            *steps = [Step { text, member }, steps[0]];
        }
        Some((member, behind))
    }
}

/// Reads from behind a value to the next one.
fn read(bytes: &[u8], at: usize, last: Member) -> Option<(Member, usize)> {
    let mut at = walk::space(bytes, at);
    match (*bytes.get(at)?, last == Member::Start) {
        (b',', false) => at = walk::space(bytes, at + 1),
        (b'}', false) => return Some((Member::End, at + 1)),
        (b'{', true) => {
            at = walk::space(bytes, at + 1);
            if bytes.get(at) == Some(&b'}') {
                return Some((Member::End, at + 1));
            }
        }
        _ => return None,
    }
    let start = walk::expect(bytes, at, b'"')?;
    let end = walk::plain_end(bytes, start);
    // A key with escapes, or none at all, is left to the plain path.
    let colon = walk::expect(bytes, end, b'"').filter(|behind| *behind == end + 1)?;
    let value = walk::space(bytes, walk::expect(bytes, colon, b':')?);
    Some((Member::named(bytes.get(start..end)?)?, value))
}
