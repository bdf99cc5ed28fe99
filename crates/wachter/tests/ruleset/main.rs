//! The decoders and rules of `ruleset/`: that they load, do what their cases say, agree with OSSEC's
//! where OSSEC has the rule, stay silent about ordinary lines, and cannot be told a wrong address.
//!
//! What is compared with OSSEC needs its rule set and recorded answers, which lie beside the
//! workspace (`testkit::shared`); where they are missing these tests say so and pass. Exceptions stand
//! in `docs/compatibility.md` under "Bundled rules", and each must be needed.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod answers;
mod cover;
mod forged;
mod ids;
mod loading;
mod page;
mod policy;
mod quiet;
mod tables;
