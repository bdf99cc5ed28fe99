//! Where logs usually lie.

/// A place where a log may be: a path or one with wildcards, and its `log_format`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) location: &'static str,
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Named(&'static str),
    /// `snort-full` or `snort-fast`, as the first line of the file says.
    Snort,
}

const fn candidate(location: &'static str, format: &'static str) -> Candidate {
    Candidate { location, format: Format::Named(format) }
}

/// What the syslog daemon writes, in `/var/log`. Files in which others may be contained come first.
pub(super) const SYSTEM: &[&str] = &[
    "syslog",
    "messages",
    "auth.log",
    "secure",
    "authlog",
    "maillog",
    "mail",
    "mail.log",
    "mail.info",
    "mail.warn",
    "mail.err",
    "kern.log",
    "daemon.log",
    "user.log",
    "cron",
    "cron.log",
    "ufw.log",
    "warn",
];

/// Files of [`SYSTEM`] that show that there is a syslog daemon, so that the journal is not needed.
pub(super) const SYSTEM_MAIN: &[&str] = &["syslog", "messages", "auth.log", "secure"];

/// The folder of containers of LXC, as seen from the host.
pub(super) const CONTAINERS: &str = "/var/lib/lxc";
pub(super) const CONTAINER_LOGS: &str = "/var/lib/lxc/*/rootfs/var/log";

/// Which files of [`SYSTEM`] are looked for in containers.
pub(super) const CONTAINER_SYSTEM: &[&str] =
    &["secure", "messages", "auth.log", "syslog", "maillog", "mail.log"];

/// Logs that programs write themselves, on the host.
pub(super) const PROGRAMS: &[Candidate] = &[
    candidate("/var/adm/syslog", "syslog"),
    candidate("/var/adm/messages", "syslog"),
    candidate("/var/log/dpkg.log", "syslog"),
    candidate("/var/log/yum.log", "syslog"),
    candidate("/var/log/fail2ban.log", "syslog"),
    candidate("/var/log/clamav/clamav.log", "syslog"),
    candidate("/var/log/clamav/freshclam.log", "syslog"),
    candidate("/var/log/xferlog", "syslog"),
    candidate("/var/log/vsftpd.log", "syslog"),
    candidate("/var/log/proftpd/proftpd.log", "syslog"),
    candidate("/var/log/samba/log.?mbd", "syslog"),
    candidate("/var/log/exim_mainlog", "syslog"),
    candidate("/var/log/exim/mainlog", "syslog"),
    candidate("/var/log/exim/rejectlog", "syslog"),
    candidate("/var/log/exim4/mainlog", "syslog"),
    candidate("/var/log/exim4/rejectlog", "syslog"),
    candidate("/var/log/dovecot.log", "syslog"),
    candidate("/var/log/dovecot-info.log", "syslog"),
    candidate("/var/log/asterisk/messages", "syslog"),
    candidate("/var/log/audit/audit.log", "audit"),
    candidate("/var/log/squid/access.log", "squid"),
    candidate("/var/log/modsec_audit.log", "modsec-audit"),
    candidate("/var/log/apache2/modsec_audit.log", "modsec-audit"),
    candidate("/var/log/httpd/modsec_audit.log", "modsec-audit"),
    candidate("/var/log/mysqld.log", "mysql_log"),
    candidate("/var/log/mysql/error.log", "mysql_log"),
    candidate("/var/log/mysql/mysqld.log", "mysql_log"),
    candidate("/var/log/mariadb/mariadb.log", "mysql_log"),
    candidate("/var/lib/mysql/*.err", "mysql_log"),
    candidate("/var/log/postgresql/*.log", "postgresql_log"),
    candidate("/var/lib/pgsql/data/log/*.log", "postgresql_log"),
    candidate("/var/lib/pgsql/data/pg_log/*.log", "postgresql_log"),
    candidate("/var/log/suricata/fast.log", "snort-fast"),
    Candidate { location: "/var/log/snort/alert", format: Format::Snort },
    Candidate { location: "/var/log/snort/alert.fast", format: Format::Snort },
];

/// Logs of web servers, in `/var/log` of the host or of a container.
pub(super) const WEB: &[&str] = &[
    "apache2/*access.log",
    "apache2/*error.log",
    "apache2/*access_log",
    "apache2/*error_log",
    "httpd/*access_log",
    "httpd/*error_log",
    "nginx/*access.log",
    "nginx/*error.log",
    "lighttpd/access.log",
    "lighttpd/error.log",
];
