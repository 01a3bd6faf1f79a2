//! What a credential of a lineage is answered in each state that containment brings it to.

use crate::support::{Key, Served, administrator, world};
use unchain_aws::{Options, probe};
use unchain_core::contain::{Denier, Sign, classify};

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

fn signs(options: &Options, key: &Key) -> Vec<Sign> {
    let replies = probe(options).unwrap();
    assert!(
        replies
            .iter()
            .all(|reply| reply.access_key_id.raw() == key.id)
    );
    replies.iter().map(classify).collect()
}

#[test]
fn a_credential_lives_is_denied_and_is_dead() {
    let (world, root) = world();
    let served = Served::new(world);
    let stolen = administrator(&served, &root);
    let options = served.options(&stolen);
    let lives = signs(&options, &stolen);
    assert!(lives.contains(&Sign::Lives), "{lives:?}");
    let name = served.prepare(&stolen, async |iam| {
        let user = iam.get_user().send().await.unwrap();
        user.user().unwrap().user_name().to_owned()
    });
    served.prepare(&root, async |iam| {
        let put = iam
            .put_user_policy()
            .user_name(&name)
            .policy_name("UnchainContain");
        put.policy_document(DENY).send().await.unwrap();
    });
    let ours = Sign::OurPolicy(Denier::Identity);
    assert_eq!(signs(&options, &stolen), vec![ours; 3]);
    served.prepare(&root, async |iam| {
        let update = iam
            .update_access_key()
            .user_name(&name)
            .access_key_id(&stolen.id);
        update.status("Inactive".into()).send().await.unwrap();
    });
    assert_eq!(signs(&options, &stolen), vec![Sign::DeadKey; 3]);
    // A secret that is not the key's says nothing of the key.
    let wrong = Key {
        secret: "wrong".to_owned(),
        ..root
    };
    assert_eq!(
        signs(&served.options(&wrong), &wrong),
        vec![Sign::Nothing; 3]
    );
}
