//! Values that several tests need.

use config::OssecConf;

pub(crate) fn conf(text: &str) -> OssecConf {
    let (conf, findings) = config::ossec_conf::read(model::SourceId(0), text.as_bytes());
    assert!(findings.is_empty(), "{findings:?}");
    conf
}
