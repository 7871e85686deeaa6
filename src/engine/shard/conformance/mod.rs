//! What every engine has to do, that is every implementation of the ports: the same scenarios for
//! all of them.

mod driver;
mod log;
mod net;
mod ownership;
mod state;

use super::Shards;
use super::ports::{Control, LogReport, Net, ShardLog};

/// How the process that has a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It closes the log.
    Clean,
    /// The power fails. Engines that cannot try that end as cleanly as they can.
    Crash,
}

/// An engine, and how to handle it in a test.
pub(crate) trait Engine {
    /// Its log.
    type Log: ShardLog;
    /// What decides about its shards.
    type Control: Control;
    /// What carries its messages.
    type Net: Net;

    /// Opens the log, in which is what the ones before have left. There is one at a time.
    fn open(&mut self) -> Self::Log;

    /// Ends it; reports that were not asked for are lost.
    fn end(&mut self, log: Self::Log, ending: Ending);

    /// Waits for the next report.
    fn wait(&mut self, log: &mut Self::Log) -> LogReport;

    /// Whether from now on nothing can be stored. False if the engine cannot try that.
    fn fail(&mut self, failing: bool) -> bool;

    /// All nodes that there are, each of them with what one of these has recovered.
    fn controls(&mut self, recovered: &Shards) -> Vec<Self::Control>;

    /// What carries their messages, in the same order.
    fn nets(&mut self) -> Vec<Self::Net>;
}

/// Runs everything against an engine that is made anew for each scenario.
pub(crate) fn conforms<E: Engine>(engine: impl Fn() -> E) {
    keeps_records(&engine);
    state::everything_is_recovered(engine());
    state::a_failure_takes_back_what_waited(engine());
    state::a_checkpoint_is_enough(engine());
    ownership::assigning_is_decided_once(engine());
    ownership::epochs_rise_over_restarts(engine());
    ownership::an_epoch_that_has_been_is_not_served(engine());
    ownership::one_node_is_active(engine());
    net::messages_arrive_once_and_in_order(engine());
    net::too_many_messages_are_refused(engine());
}

/// Runs what concerns the log alone.
pub(crate) fn keeps_records<E: Engine>(engine: &impl Fn() -> E) {
    log::what_is_reported_is_there_in_order(engine());
    log::a_crash_leaves_whole_batches(engine());
    log::reading_goes_on_where_it_ended(engine());
    log::what_has_failed_does_not_come_back(engine());
    log::truncation_leaves_what_is_behind_the_mark(engine());
    log::without_a_sound_mark_nothing_is_forgotten(engine());
}
