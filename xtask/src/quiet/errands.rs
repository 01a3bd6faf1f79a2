//! What administrators do: their day, and the errands of a month, such as a new colleague, a vendor's role, and
//! somebody who leaves. It must not know how anybody else works.

use super::chapter::{ADMIN, Chapter, DAY, HOUR, MINUTE, Span};
use super::people::{BROWSER, CLI, OFFICE, PAGES, Place, SHELL, role, shell};

pub(super) fn administer(
    chapter: &mut Chapter,
    (portal, place, name): (&str, &Place, &str),
    (at, day): (i64, i64),
) {
    let key = role(
        chapter,
        (portal, place),
        (at + MINUTE, &format!("org/{ADMIN}")),
    );
    shell(
        chapter,
        (&key, place),
        (
            PAGES,
            Span {
                from: at + 2 * MINUTE,
                lasts: 5 * HOUR,
            },
            40,
        ),
    );
    let shop = role(
        chapter,
        (portal, place),
        (at + 5 * MINUTE, &format!("shop/{ADMIN}")),
    );
    shell(
        chapter,
        (&shop, place),
        (
            SHELL,
            Span {
                from: at + 6 * MINUTE,
                lasts: 4 * HOUR,
            },
            30,
        ),
    );
    let plan = chapter.plan;
    if name == "olga" && day == plan.day_at(55) {
        colleague(chapter, (&shop, place), at + HOUR);
    }
    if name == "piet" && day == plan.day_at(70) {
        chapter.at(
            at + HOUR,
            &format!("{shop} CreateRole monitoring trust 999988887777"),
        );
        chapter.at(
            at + HOUR + 20,
            &format!("{shop} AttachRolePolicy monitoring ReadOnlyAccess"),
        );
    }
    if name == "rosa" && day == plan.day_at(35) {
        leaver(chapter, &shop, at + HOUR);
    }
}

/// A new colleague: user, password, key and group; then the colleague signs in, enables a device, and uses the key.
fn colleague(chapter: &mut Chapter, (admin, place): (&str, &Place), at: i64) {
    let from = format!(" from {} agent {CLI}", place.one(chapter));
    for (late, look) in (0..).zip(["ListUsers", "iam:ListGroups", "iam:ListPolicies"]) {
        chapter.at(at - 60 + 10 * late, &format!("{admin} {look}{from}"));
    }
    chapter.at(at, &format!("{admin} CreateUser nina{from}"));
    chapter.at(at + 15, &format!("{admin} CreateLoginProfile nina{from}"));
    let key = chapter.issue(at + 30, &format!("{admin} CreateAccessKey nina{from}"));
    chapter.at(
        at + 45,
        &format!("{admin} iam:AddUserToGroup userName=nina groupName=developers{from}"),
    );
    let desk = format!(" from {OFFICE} agent {BROWSER}");
    let later = at + 2 * HOUR;
    let session = chapter.issue(later, &format!("nina ConsoleLogin{desk}"));
    chapter.at(later + 20, &format!("{session} iam:ChangePassword{desk}"));
    chapter.at(
        later + 90,
        &format!("{session} CreateVirtualMFADevice nina-phone{desk}"),
    );
    chapter.at(
        later + 130,
        &format!("{session} EnableMFADevice nina mfa nina-phone{desk}"),
    );
    let again = chapter.issue(
        later + 300,
        &format!("nina ConsoleLogin mfa nina-phone{desk}"),
    );
    chapter.calls(
        (&again, ""),
        PAGES,
        (
            Span {
                from: later + 310,
                lasts: HOUR,
            },
            20,
        ),
    );
    let token = chapter.issue(
        later + HOUR,
        &format!("{key} GetSessionToken for 12h mfa nina-phone from {OFFICE} agent {CLI}"),
    );
    chapter.calls(
        (&token, ""),
        SHELL,
        (
            Span {
                from: later + HOUR + 5,
                lasts: 3 * HOUR,
            },
            20,
        ),
    );
}

/// A colleague leaves: the key is switched off, then password, key and user are deleted.
fn leaver(chapter: &mut Chapter, admin: &str, at: i64) {
    chapter.declare("user walt in shop key WALT from 198.19.99.7");
    chapter.at(
        at - 2 * DAY,
        "WALT ListObjects s3://shop-assets every 10m times 3",
    );
    chapter.at(at, &format!("{admin} UpdateAccessKey WALT Inactive"));
    chapter.at(at + 10, &format!("{admin} DeleteLoginProfile walt"));
    chapter.at(at + 20, &format!("{admin} DeleteAccessKey WALT"));
    chapter.at(at + 40, &format!("{admin} DeleteUser walt"));
}
