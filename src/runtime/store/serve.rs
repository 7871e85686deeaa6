//! The thread that writes.

use super::queue::Queue;
use super::writer::Writer;
use super::{FailureKind, Report};
use crate::runtime::guard::guard;

/// Does the queue's work until it is closed and empty, then closes the log.
pub(super) fn serve(queue: &Queue, mut writer: Writer, report: &dyn Fn(Report)) {
    while let Some(work) = queue.take() {
        let performed = guard(|| writer.perform(&work));
        queue.done(&work);
        let said = match performed {
            Ok(said) => said,
            Err(message) => {
                writer.fail(true);
                Some(Report::Failed {
                    ticket: work.ticket().unwrap_or_default(),
                    kind: FailureKind::Io,
                    message,
                })
            }
        };
        if let Some(said) = said {
            // A defect of whoever is told is not the log's, and the thread goes on.
            let _told = guard(|| report(said));
        }
    }
    let _closed = guard(|| writer.close());
}
