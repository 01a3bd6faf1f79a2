-- A case of version 1 as text: a session token, a role session made with it, and its key deactivated.
BEGIN TRANSACTION;
CREATE TABLE text (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
INSERT INTO text VALUES(0,'');
INSERT INTO text VALUES(1,'AIDARTX3GSDSRGT4DRSWP');
INSERT INTO text VALUES(2,'arn:aws:iam::111122223333:user/alice');
INSERT INTO text VALUES(3,'111122223333');
INSERT INTO text VALUES(4,'alice');
INSERT INTO text VALUES(5,'AROARTX3GSDST6FWQWZGE');
INSERT INTO text VALUES(6,'arn:aws:sts::111122223333:assumed-role/app/');
INSERT INTO text VALUES(7,'arn:aws:iam::111122223333:role/app');
INSERT INTO text VALUES(8,'AIDARTX3GSDSVFNEDO6AX');
INSERT INTO text VALUES(9,'arn:aws:iam::111122223333:user/admin');
INSERT INTO text VALUES(10,'admin');
INSERT INTO text VALUES(11,'aws-cli/2.31.4 md/Botocore#1.40.44 ua/2.1 os/linux#6.1.0 lang/python#3.13.7 cfg/retry-mode#standard');
INSERT INTO text VALUES(12,'AccessDenied');
INSERT INTO text VALUES(13,'arn:aws:iam::111122223333:mfa/alice-phone');
INSERT INTO text VALUES(14,'AKIARTX3GSDSXNZDI2Z5');
INSERT INTO text VALUES(15,'Inactive');
CREATE TABLE identity (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    mfa TEXT NOT NULL,
    from_console INTEGER NOT NULL,
    arn_ends_with_session INTEGER NOT NULL,
    unique_id INTEGER NOT NULL,
    arn INTEGER NOT NULL,
    account INTEGER NOT NULL,
    user_name INTEGER NOT NULL,
    issuer_arn INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    invoked_by INTEGER NOT NULL,
    type_name INTEGER NOT NULL,
    source_identity INTEGER NOT NULL,
    sign_in_session INTEGER NOT NULL,
    on_behalf_of INTEGER NOT NULL,
    identity_store INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    delegate INTEGER NOT NULL,
    role_delivery INTEGER NOT NULL,
    in_scope_of INTEGER NOT NULL,
    assumed_root INTEGER NOT NULL,
    UNIQUE (unique_id, arn, account, kind, mfa, from_console, arn_ends_with_session, user_name,
        issuer_arn, issuer_id, invoked_by, type_name, source_identity, sign_in_session, on_behalf_of,
        identity_store, credential_id, provider, delegate, role_delivery, in_scope_of, assumed_root)
);
INSERT INTO identity VALUES(1,'IAMUser','',0,0,1,2,3,4,0,0,0,0,0,0,0,0,0,0,0,0,0,0);
INSERT INTO identity VALUES(2,'IAMUser','true',0,0,1,2,3,4,0,0,0,0,0,0,0,0,0,0,0,0,0,0);
INSERT INTO identity VALUES(3,'AssumedRole','true',0,1,5,6,3,0,7,5,0,0,0,0,0,0,0,0,0,0,0,0);
INSERT INTO identity VALUES(4,'IAMUser','',0,0,8,9,3,10,0,0,0,0,0,0,0,0,0,0,0,0,0,0);
CREATE TABLE caller (
    id INTEGER PRIMARY KEY,
    identity INTEGER NOT NULL,
    key TEXT,
    session TEXT,
    created INTEGER,
    uses TEXT NOT NULL,
    ends BLOB NOT NULL,
    marks BLOB
);
INSERT INTO caller VALUES(1,1,'AKIARTX3GSDSXNZDI2Z5',NULL,NULL,'[[1,1,1,0,1772442000,1772442000,1]]',X'0125ac1a800031e11a9131a64c93affd486c678cf241',NULL);
INSERT INTO caller VALUES(2,2,'ASIARTX3GSDS6MN6TH57',NULL,1772442000,'[[2,1,1,0,1772442300,1772442300,1],[2,1,1,12,1772445900,1772445900,1]]',X'0134006d36008cf86723548b4c2796c2bdff91e7ca2f9a4ff969006d1dcd1205d24224a3a0be812567815f',NULL);
INSERT INTO caller VALUES(3,3,'ASIARTX3GSDSQSI6DWZB','build',1772442300,'[[3,1,1,0,1772442600,1772442840,5]]',X'01da91ade00082ed5978e39249e3a8c79dff5333a844fc742bbb00fc992fea07064fe2a0315f8765a26ead',X'013c5ef787e83c355e02593c1886c217');
INSERT INTO caller VALUES(4,4,'AKIARTX3GSDSVRREKV7R',NULL,NULL,'[[4,2,1,0,1772445600,1772445600,1]]',X'018e8cb8ae00112b1a0f53f7405c81ca692df48557e9',NULL);
CREATE TABLE caller_day (
    caller INTEGER NOT NULL,
    day INTEGER NOT NULL,
    marks BLOB NOT NULL,
    PRIMARY KEY (caller, day)
);
CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    read_only TEXT NOT NULL,
    UNIQUE (source, name, category, read_only)
);
INSERT INTO call VALUES(1,'sts.amazonaws.com','GetSessionToken','Management','false');
INSERT INTO call VALUES(2,'sts.amazonaws.com','AssumeRole','Management','true');
INSERT INTO call VALUES(3,'s3.amazonaws.com','GetObject','Data','true');
INSERT INTO call VALUES(4,'iam.amazonaws.com','UpdateAccessKey','Management','false');
CREATE TABLE client (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL,
    agent INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    UNIQUE (address, agent, endpoint)
);
INSERT INTO client VALUES(1,'198.51.100.7',11,0);
INSERT INTO client VALUES(2,'203.0.113.80',11,0);
CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    region TEXT NOT NULL,
    account TEXT NOT NULL,
    UNIQUE (region, account)
);
INSERT INTO place VALUES(1,'us-east-1','111122223333');
CREATE TABLE coverage (
    place INTEGER NOT NULL,
    day INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    PRIMARY KEY (place, day)
) WITHOUT ROWID;
INSERT INTO coverage VALUES(1,20514,1536);
CREATE TABLE attribute (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    is_number INTEGER NOT NULL
);
INSERT INTO attribute VALUES(0,'child_key',0);
INSERT INTO attribute VALUES(1,'child_id',0);
INSERT INTO attribute VALUES(2,'child_arn',0);
INSERT INTO attribute VALUES(3,'expires',1);
INSERT INTO attribute VALUES(4,'duration',1);
INSERT INTO attribute VALUES(5,'role',0);
INSERT INTO attribute VALUES(6,'session_name',0);
INSERT INTO attribute VALUES(7,'mfa_serial',0);
INSERT INTO attribute VALUES(8,'source_identity',0);
INSERT INTO attribute VALUES(9,'provider',0);
INSERT INTO attribute VALUES(10,'subject',0);
INSERT INTO attribute VALUES(11,'session_policy',0);
INSERT INTO attribute VALUES(12,'target_account',0);
INSERT INTO attribute VALUES(13,'user',0);
INSERT INTO attribute VALUES(14,'user_id',0);
INSERT INTO attribute VALUES(15,'group',0);
INSERT INTO attribute VALUES(16,'key',0);
INSERT INTO attribute VALUES(17,'status',0);
INSERT INTO attribute VALUES(18,'policy_name',0);
INSERT INTO attribute VALUES(19,'policy_arn',0);
INSERT INTO attribute VALUES(20,'deny_before',1);
INSERT INTO attribute VALUES(21,'deny_all',1);
INSERT INTO attribute VALUES(22,'deny_user_id',0);
INSERT INTO attribute VALUES(23,'document',0);
INSERT INTO attribute VALUES(24,'instance',0);
INSERT INTO attribute VALUES(25,'instance_profile',0);
INSERT INTO attribute VALUES(26,'function',0);
INSERT INTO attribute VALUES(27,'trail',0);
INSERT INTO attribute VALUES(28,'switch_from',0);
INSERT INTO attribute VALUES(29,'sign_in_session',0);
INSERT INTO attribute VALUES(30,'client_id',0);
INSERT INTO attribute VALUES(31,'cluster',0);
INSERT INTO attribute VALUES(32,'identity_id',0);
INSERT INTO attribute VALUES(33,'mfa_used',0);
INSERT INTO attribute VALUES(34,'resource',0);
INSERT INTO attribute VALUES(35,'child_session',0);
CREATE TABLE detail (
    id INTEGER PRIMARY KEY,
    attributes TEXT NOT NULL UNIQUE
);
INSERT INTO detail VALUES(1,'[[4,129600],[7,13]]');
INSERT INTO detail VALUES(2,'[[1,5],[5,7]]');
INSERT INTO detail VALUES(3,'[[13,4],[16,14],[17,15]]');
CREATE TABLE fact (
    id INTEGER PRIMARY KEY,
    caller INTEGER NOT NULL,
    call INTEGER NOT NULL,
    client INTEGER NOT NULL,
    place INTEGER NOT NULL,
    time INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    event_id,
    shared_id,
    child_key TEXT,
    session_name TEXT,
    expires INTEGER,
    detail INTEGER NOT NULL
);
INSERT INTO fact VALUES(1,1,1,1,1,1772442000,2149231653,X'31e11a9131a64c93affd486c678cf241',NULL,'ASIARTX3GSDS6MN6TH57',NULL,1772571600,1);
INSERT INTO fact VALUES(2,2,2,1,1,1772442300,913113140,X'8cf86723548b4c2796c2bdff91e7ca2f',NULL,'ASIARTX3GSDSQSI6DWZB','build',1772445900,2);
INSERT INTO fact VALUES(3,4,4,2,1,1772445600,2931330190,X'112b1a0f53f7405c81ca692df48557e9',NULL,NULL,NULL,NULL,3);
CREATE TABLE attempt (
    caller INTEGER NOT NULL,
    call INTEGER NOT NULL,
    client INTEGER NOT NULL,
    place INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    target INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    first INTEGER NOT NULL,
    first_hash INTEGER NOT NULL,
    first_id,
    last INTEGER NOT NULL,
    last_hash INTEGER NOT NULL,
    last_id,
    PRIMARY KEY (caller, call, client, place, outcome, target, serial)
) WITHOUT ROWID;
INSERT INTO attempt VALUES(2,2,1,1,12,7,0,1772445900,1777946522,X'6d1dcd1205d24224a3a0be812567815f',1772445900,1777946522,X'6d1dcd1205d24224a3a0be812567815f');
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    modified INTEGER,
    fingerprint INTEGER NOT NULL,
    kind TEXT NOT NULL,
    compression TEXT NOT NULL,
    read INTEGER NOT NULL,
    parsed INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    refused TEXT NOT NULL,
    notes TEXT NOT NULL,
    damage TEXT,
    earliest INTEGER,
    latest INTEGER,
    keys BLOB NOT NULL
);
INSERT INTO file VALUES(1,'AWSLogs/a.json.gz',1234,NULL,0,'records','gzip',9,9,0,'{}','{}',NULL,1772442000,1772445900,X'0100000002000000');
CREATE TABLE scan (
    id INTEGER PRIMARY KEY,
    files INTEGER NOT NULL,
    events INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    callers INTEGER NOT NULL,
    facts INTEGER NOT NULL
);
INSERT INTO scan VALUES(1,1,9,5,4,3);
CREATE TABLE link_run (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    bits INTEGER NOT NULL,
    entries INTEGER NOT NULL
);
INSERT INTO link_run VALUES(1,0,0,15);
INSERT INTO link_run VALUES(2,2,0,14);
INSERT INTO link_run VALUES(3,1,0,16);
CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
);
INSERT INTO link VALUES(4294967296,X'07b7e8ef000000020ca4c92a000000031ebff08f000000023454454c000000043f31a26e00000003417f3ac4000000034e8f1a1e000000014e8f1a1e000000024e8f1a1e0000000376ab5bee000000048608d39e00000004d03e2f7000000001dcc7c3ad00000001e41a75b900000003f20d363400000002');
INSERT INTO link VALUES(8589934592,X'213ccb2700000003283617020000000128361702000000024228e8ae00000003673245d000000001673245d0000000028c8c8d8f00000004a90c00cb00000004b98db73800000004be9ea8eb00000003ccd1e5b300000003eab462c600000001eab462c600000002');
INSERT INTO link VALUES(12884901888,X'254ef1e400000001316b3a0f0000000331a1a48d00000002616c0ce100000002628ab525000000028afe0d91000000019300fa940000000196cba3c700000003a86b3df900000003b5d6a7f700000002b774e94100000002b9a5003f00000002c277c71100000002d2549fb500000001da4badcb00000003e8f1715300000001');
COMMIT;
PRAGMA application_id = 1970168673;
PRAGMA user_version = 1;
