//! The stories that come with the lab.

/// A story by its name.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Its name: the folder's under `scenarios`.
    pub name: &'static str,
    /// The story in the trail language.
    pub text: &'static str,
}

impl Story {
    /// What happens in it: its first line.
    pub fn about(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches('#').trim()
    }

    /// The story of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        STORIES.iter().find(|story| story.name == name)
    }
}

macro_rules! story {
    ($name:literal) => {
        Story {
            name: $name,
            text: include_str!(concat!("../../../../scenarios/", $name, "/story.trail")),
        }
    };
    ($name:literal, $twin:literal, $file:literal) => {
        Story {
            name: $twin,
            text: include_str!(concat!("../../../../scenarios/", $name, "/", $file)),
        }
    };
}

/// All of them, in order of name.
pub const STORIES: &[Story] = &[
    story!("assume-root"),
    story!("ci-pipeline"),
    story!("console-and-switch-role"),
    story!("cross-account-chain"),
    story!("federation"),
    story!("federation-token"),
    story!("identity-center"),
    story!("instance-theft"),
    story!("instance-theft", "instance-theft-benign", "benign.trail"),
    story!("mfa-registration"),
    story!("office-day"),
    story!("oidc-backdoor"),
    story!("role-chain"),
    story!("role-juggling"),
    story!("spare-users"),
    story!("stripped-quarantine"),
    story!("whack-a-mole"),
    story!("workloads"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_can_be_read_and_says_what_it_is_about() {
        for story in STORIES {
            let trail = unchain_trail::Trail::parse(story.text);
            assert!(trail.is_ok(), "{}: {trail:?}", story.name);
            assert!(story.about().len() > 20, "{}", story.name);
        }
        assert!(STORIES.is_sorted_by_key(|story| story.name));
        assert!(Story::named("whack-a-mole").is_some());
    }
}
