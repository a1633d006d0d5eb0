-- Call records as FreePBX keeps them (database asteriskcdrdb). Rows have no key; calldate is local time without a zone.
CREATE TABLE cdr (
    calldate datetime NOT NULL,
    clid varchar(80) NOT NULL DEFAULT '',
    src varchar(80) NOT NULL DEFAULT '',
    dst varchar(80) NOT NULL DEFAULT '',
    dcontext varchar(80) NOT NULL DEFAULT '',
    channel varchar(80) NOT NULL DEFAULT '',
    dstchannel varchar(80) NOT NULL DEFAULT '',
    lastapp varchar(80) NOT NULL DEFAULT '',
    lastdata varchar(80) NOT NULL DEFAULT '',
    duration integer NOT NULL DEFAULT 0,
    billsec integer NOT NULL DEFAULT 0,
    disposition varchar(45) NOT NULL DEFAULT '',
    amaflags integer NOT NULL DEFAULT 3,
    accountcode varchar(20) NOT NULL DEFAULT '',
    uniqueid varchar(32) NOT NULL DEFAULT '',
    userfield varchar(255) NOT NULL DEFAULT '',
    did varchar(50) NOT NULL DEFAULT '',
    recordingfile varchar(255) NOT NULL DEFAULT '',
    cnum varchar(80) NOT NULL DEFAULT '',
    cnam varchar(80) NOT NULL DEFAULT '',
    linkedid varchar(32) NOT NULL DEFAULT '',
    peeraccount varchar(80) NOT NULL DEFAULT '',
    sequence integer NOT NULL DEFAULT 0
);
CREATE INDEX cdr_calldate ON cdr (calldate);
CREATE INDEX cdr_linkedid ON cdr (linkedid);
CREATE TABLE queue_log (
    id integer PRIMARY KEY,
    time varchar(26) NOT NULL,
    callid varchar(80) NOT NULL,
    queuename varchar(80) NOT NULL,
    agent varchar(80) NOT NULL,
    event varchar(32) NOT NULL,
    data1 varchar(100) NOT NULL DEFAULT '',
    data2 varchar(100) NOT NULL DEFAULT '',
    data3 varchar(100) NOT NULL DEFAULT ''
);
CREATE INDEX queue_log_callid ON queue_log (callid);
