//! Makes a policy of the files that were read.

use std::sync::Arc;

use config::{Compat, internal_options};
use decode::load::INTERNAL_NAMES;
use decode::{DecodeOptions, DecoderSet, Forms};
use engine::statistics::Margin;
use engine::{Options, Policy};
use model::{Category, Severity, SourceId, Sources};
use rules::{DecoderFacts, LoadOptions};

use super::gather::Gathered;
use super::{Depth, Installation, Settings};
use crate::host;

/// Loads decoders and rules. With errors anywhere there is no policy.
pub(super) fn build(gathered: Gathered, settings: &Settings, depth: Depth) -> Installation {
    let Gathered {
        sources, mut diagnostics, decoders, rules, lists, geoip, notices, watched, ..
    } = gathered;
    let all_read = diagnostics.iter().all(|finding| finding.severity != Severity::Error);
    let decoder_texts = texts(&sources, &decoders);
    let loaded = decode::load(&decode::LoadInput {
        files: &borrowed(&decoder_texts),
        options: decode_options(settings),
        order_fields_max: settings.internal.get(&internal_options::DECODER_ORDER_SIZE) as usize,
    });
    let decoders_complete = all_read && loaded.is_usable();
    diagnostics.extend(loaded.diagnostics);
    let decoders = loaded.decoders;
    let facts = facts(&decoders);
    let ids = |name: &[u8]| decoders.id(name);
    let rule_texts = texts(&sources, &rules);
    let loaded = rules::load(rules::LoadInput {
        files: &borrowed(&rule_texts),
        sources: &sources,
        lists,
        decoder_ids: &ids,
        decoders_complete,
        decoders: &facts,
        options: load_options(settings),
    });
    diagnostics.extend(loaded.diagnostics);
    let mut installation =
        Installation { sources, diagnostics, notices, watched, ..Installation::default() };
    if depth == Depth::Lint {
        installation.lints = decode::lint::lint(&decoders);
        installation.lints.extend(rules::lint(&loaded.ruleset, &ids, &facts));
    }
    drop(facts);
    if !installation.has_errors() {
        let options = engine_options(settings);
        installation.policy = Some(Policy::new(decoders, loaded.ruleset, geoip, options));
    }
    installation
}

fn texts(sources: &Sources, files: &[SourceId]) -> Vec<(SourceId, Arc<[u8]>)> {
    let text = |&id| sources.get(id).map(|source| (id, Arc::clone(&source.text)));
    files.iter().filter_map(text).collect()
}

fn borrowed(texts: &[(SourceId, Arc<[u8]>)]) -> Vec<(SourceId, &[u8])> {
    texts.iter().map(|(id, text)| (*id, &**text)).collect()
}

fn decode_options(settings: &Settings) -> DecodeOptions {
    let (forms, strip_control) = match settings.compat() {
        Compat::Ours => (Forms::Extended, false),
        Compat::Strict => (Forms::Strict, true),
    };
    let server_name = settings.server_name.clone().unwrap_or_else(host::short_name);
    DecodeOptions { server_name: server_name.into_bytes(), forms, strip_control }
}

fn load_options(settings: &Settings) -> LoadOptions {
    LoadOptions {
        log_alert_level: settings.conf.alerts.log_alert_level,
        email_alert_level: settings.conf.alerts.email_alert_level,
        default_timeframe: settings.internal.get(&internal_options::DEFAULT_TIMEFRAME),
        strict: settings.compat() == Compat::Strict,
    }
}

fn engine_options(settings: &Settings) -> Options {
    let Settings { conf, internal, .. } = settings;
    let defaults = Options::default();
    let ignore = conf.syscheck.ignore.iter();
    Options {
        strict: settings.compat() == Compat::Strict,
        drop_repeated: true,
        normalise_firewall: internal.get(&internal_options::LOG_FW) == 1,
        statistics_level: conf.global.stats,
        statistics_margin: Margin {
            percent: internal.get(&internal_options::STATS_PERCENT_DIFF).into(),
            min: internal.get(&internal_options::STATS_MIN_DIFF).into(),
            max: internal.get(&internal_options::STATS_MAX_DIFF).into(),
        },
        auto_ignore: conf.syscheck.auto_ignore,
        alert_new_files: conf.syscheck.alert_new_files,
        // compat: patterns are taken for prefixes as well.
        syscheck_ignore: ignore.map(|entry| entry.text.clone().into_bytes()).collect(),
        fts_list_size: internal.get(&internal_options::FTS_LIST_SIZE) as usize,
        fts_prefix_min: internal.get(&internal_options::FTS_MIN_SIZE) as usize,
        sid_events_max: internal.get(&internal_options::SID_PREV_MATCHED_MAX) as usize,
        history_events_max: conf
            .global
            .memory_size
            .map_or(defaults.history_events_max, |size| size as usize),
    }
}

/// What rules may know of decoders: by each name, whether and with which types events carry it.
fn facts(decoders: &DecoderSet) -> Vec<DecoderFacts<'_>> {
    let mut facts: Vec<DecoderFacts<'_>> = INTERNAL_NAMES
        .iter()
        .map(|&name| DecoderFacts {
            name,
            reported: true,
            categories: vec![Category::Ossec, Category::HostInformation],
        })
        .collect();
    for decoder in decoders.iter() {
        let reported = decoder.name == decoder.own_name;
        let own = facts.iter_mut().find(|known| known.name == decoder.own_name);
        match own {
            Some(known) => known.reported |= reported,
            None => facts.push(DecoderFacts {
                name: &decoder.own_name,
                reported,
                categories: Vec::new(),
            }),
        }
    }
    for decoder in decoders.iter() {
        // A plugin sets the type by what it reads.
        let categories: &[Category] = match decoder.plugin {
            Some(_) => &Category::ALL,
            None => std::slice::from_ref(&decoder.category),
        };
        if let Some(known) = facts.iter_mut().find(|known| known.name == decoder.name) {
            for category in categories {
                if !known.categories.contains(category) {
                    known.categories.push(*category);
                }
            }
        }
    }
    facts
}
