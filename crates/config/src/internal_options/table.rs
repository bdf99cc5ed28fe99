//! All options, in the order of OSSEC's file.

use super::IntOption;

/// Seconds, for rules without `timeframe`.
pub const DEFAULT_TIMEFRAME: IntOption = option("analysisd.default_timeframe", 60, 604_800, 360);
/// How far an hour's events must be above their average to be unusual, as a part of it.
pub const STATS_PERCENT_DIFF: IntOption = option("analysisd.stats_percent_diff", 5, 9999, 150);
/// The same in events, at least.
pub const STATS_MIN_DIFF: IntOption = option("analysisd.stats_mindiff", 10, 999_999, 1250);
/// The same in events, at most.
pub const STATS_MAX_DIFF: IntOption = option("analysisd.stats_maxdiff", 10, 999_999, 999_000);
/// New keys of `ids` decoders that later ones are compared with.
pub const FTS_LIST_SIZE: IntOption = option("analysisd.fts_list_size", 12, 512, 32);
/// Common prefix from which on such keys are alike.
pub const FTS_MIN_SIZE: IntOption = option("analysisd.fts_min_size_for_str", 6, 128, 14);
/// Whether firewall events are written.
pub const LOG_FW: IntOption = switch("analysisd.log_fw", 1);
/// Fields that one decoder may fill.
pub const DECODER_ORDER_SIZE: IntOption = option("analysisd.decoder_order_size", 8, 1024, 256);
/// Events kept for each rule that others count.
pub const SID_PREV_MATCHED_MAX: IntOption =
    option("analysisd.sid_prev_matched_max", 16, 65_536, 128);
/// Seconds between writes of the analysis' counters; 0 is never.
pub const STATE_INTERVAL: IntOption = option("analysisd.state_interval", 0, 86_400, 5);

/// Seconds between looks at watched logs.
pub const LOG_LOOP_TIMEOUT: IntOption = option("logcollector.loop_timeout", 1, 120, 2);
/// Tries to open a log.
pub const LOG_OPEN_ATTEMPTS: IntOption = option("logcollector.open_attempts", 2, 998, 8);
/// Whether commands from agent.conf are run.
pub const REMOTE_COMMANDS: IntOption = switch("logcollector.remote_commands", 0);

/// Messages between writes of an agent's counter.
pub const COUNTER_FLUSH: IntOption = option("remoted.recv_counter_flush", 10, 999_999, 128);
/// Whether repeated messages are refused.
pub const VERIFY_MESSAGE_ID: IntOption = switch("remoted.verify_msg_id", 1);
/// Whether to listen without knowing any agent.
pub const PASS_EMPTY_KEYFILE: IntOption = switch("remoted.pass_empty_keyfile", 0);
/// Senders of syslog by TCP that are listened to at once.
pub const SYSLOG_TCP_WORKERS: IntOption = option("remoted.syslog_tcp_worker_pool", 1, 64, 16);
/// Those, and others that wait.
pub const SYSLOG_TCP_TASKS_MAX: IntOption = option("remoted.syslog_tcp_max_tasks", 1, 1024, 64);
/// Seconds that one read from them may take.
pub const SYSLOG_TCP_READ_TIMEOUT: IntOption =
    option("remoted.syslog_tcp_read_timeout", 1, 3600, 30);

/// Whether an unexpected answer of a mail server is an error.
pub const MAIL_STRICT_CHECKING: IntOption = switch("maild.strict_checking", 1);
/// Whether one mail may hold several alerts. The name is OSSEC's.
pub const MAIL_GROUPING: IntOption = switch("maild.groupping", 1);
/// Whether subjects are long.
pub const MAIL_FULL_SUBJECT: IntOption = switch("maild.full_subject", 0);
/// Whether mails name countries.
pub const MAIL_GEOIP: IntOption = switch("maild.geoip", 1);
/// Mails that are sent at once.
pub const MAIL_WORKERS_MAX: IntOption = option("maild.max_workers", 1, 32, 6);

/// Agents that are enrolled at once.
pub const ENROLMENT_WORKERS: IntOption = option("authd.worker_pool", 1, 128, 8);
/// Connections to enrol.
pub const ENROLMENT_CONNECTIONS_MAX: IntOption = option("authd.max_connections", 1, 512, 64);

/// Seconds after midnight until yesterday's files are closed.
pub const DAY_WAIT: IntOption = option("monitord.day_wait", 5, 240, 10);
/// Whether old files are compressed.
pub const COMPRESS: IntOption = switch("monitord.compress", 1);
/// Whether old files get a checksum.
pub const SIGN: IntOption = switch("monitord.sign", 1);
/// Whether agents that fall silent are told.
pub const MONITOR_AGENTS: IntOption = switch("monitord.monitor_agents", 1);
/// Seconds between signs of life that agents are expected to keep to.
pub const MONITOR_NOTIFY_TIME: IntOption = option("monitord.notify_time", 60, 3600, 600);
/// Reports that are made at once.
pub const REPORT_WORKERS_MAX: IntOption = option("monitord.max_report_workers", 1, 16, 4);

/// Seconds of rest after some files.
pub const SYSCHECK_SLEEP: IntOption = option("syscheck.sleep", 0, 64, 2);
/// After how many.
pub const SYSCHECK_SLEEP_AFTER: IntOption = option("syscheck.sleep_after", 1, 9999, 15);
/// Seconds of rest between processes and ports.
pub const ROOTCHECK_SLEEP: IntOption = option("rootcheck.sleep", 0, 64, 2);

/// Tries to reach the database again.
pub const DATABASE_RECONNECT_ATTEMPTS: IntOption = option("dbd.reconnect_attempts", 1, 9999, 10);

/// Those without a name here have no effect: they size OSSEC's own threads and queues.
pub const ALL: &[IntOption] = &[
    DEFAULT_TIMEFRAME,
    STATS_MAX_DIFF,
    STATS_MIN_DIFF,
    STATS_PERCENT_DIFF,
    FTS_LIST_SIZE,
    FTS_MIN_SIZE,
    LOG_FW,
    DECODER_ORDER_SIZE,
    SID_PREV_MATCHED_MAX,
    threads("analysisd.event_threads"),
    threads("analysisd.rule_matching_threads"),
    threads("analysisd.syscheck_threads"),
    threads("analysisd.rootcheck_threads"),
    threads("analysisd.hostinfo_threads"),
    option("analysisd.input_demux_threads", 1, 8, 2),
    queue("analysisd.decode_event_queue_size"),
    queue("analysisd.raw_input_queue_size"),
    queue("analysisd.decode_syscheck_queue_size"),
    queue("analysisd.decode_rootcheck_queue_size"),
    queue("analysisd.decode_hostinfo_queue_size"),
    queue("analysisd.decode_output_queue_size"),
    queue("analysisd.alerts_queue_size"),
    queue("analysisd.statistical_queue_size"),
    queue("analysisd.archives_queue_size"),
    queue("analysisd.firewall_queue_size"),
    queue("analysisd.fts_queue_size"),
    option("analysisd.raw_input_push_wait_ms", 0, 5000, 25),
    option("analysisd.demux_push_wait_ms", 0, 5000, 50),
    option("analysisd.shard_push_wait_ms", 0, 5000, 75),
    option("analysisd.alerts_push_wait_ms", 0, 5000, 100),
    STATE_INTERVAL,
    switch("analysisd.geoip_jsonout", 0),
    LOG_LOOP_TIMEOUT,
    LOG_OPEN_ATTEMPTS,
    REMOTE_COMMANDS,
    option("ossec.thread_stack_size", 2048, 65_536, 2048),
    COUNTER_FLUSH,
    option("remoted.comp_average_printout", 10, 999_999, 19_999),
    VERIFY_MESSAGE_ID,
    PASS_EMPTY_KEYFILE,
    SYSLOG_TCP_WORKERS,
    SYSLOG_TCP_TASKS_MAX,
    SYSLOG_TCP_READ_TIMEOUT,
    MAIL_STRICT_CHECKING,
    MAIL_GROUPING,
    MAIL_FULL_SUBJECT,
    MAIL_GEOIP,
    MAIL_WORKERS_MAX,
    ENROLMENT_WORKERS,
    ENROLMENT_CONNECTIONS_MAX,
    DAY_WAIT,
    COMPRESS,
    SIGN,
    MONITOR_AGENTS,
    MONITOR_NOTIFY_TIME,
    REPORT_WORKERS_MAX,
    SYSCHECK_SLEEP,
    SYSCHECK_SLEEP_AFTER,
    ROOTCHECK_SLEEP,
    DATABASE_RECONNECT_ATTEMPTS,
    debug("windows.debug"),
    debug("syscheck.debug"),
    debug("remoted.debug"),
    debug("analysisd.debug"),
    debug("logcollector.debug"),
    debug("agent.debug"),
    debug("authd.debug"),
];

const fn option(name: &'static str, min: u32, max: u32, default: u32) -> IntOption {
    IntOption { name, min, max, default }
}

const fn switch(name: &'static str, default: u32) -> IntOption {
    option(name, 0, 1, default)
}

const fn threads(name: &'static str) -> IntOption {
    option(name, 0, 32, 0)
}

const fn queue(name: &'static str) -> IntOption {
    option(name, 128, 2_000_000, 16_384)
}

const fn debug(name: &'static str) -> IntOption {
    option(name, 0, 2, 0)
}
