//! Commits the changes of many steps in one transaction, so that they share one write to the disk.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::{Change, Committed, StoreError};

/// Changes that wait for their transaction.
#[derive(Debug, Default)]
pub(super) struct Group {
    waiting: Mutex<Vec<Waiting>>,
    leader: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    changes: Vec<Change>,
    answer: oneshot::Sender<Result<Vec<Committed>, StoreError>>,
}

impl Group {
    /// Commits changes, together with those that others hand over meanwhile. Whoever comes first commits for all.
    ///
    /// # Errors
    ///
    /// The transaction's error, for all that were in it.
    pub(super) async fn commit(
        &self,
        changes: Vec<Change>,
        transact: impl AsyncFnOnce(Vec<Change>) -> Result<Vec<Committed>, StoreError>,
    ) -> Result<Vec<Committed>, StoreError> {
        let (answer, mut result) = oneshot::channel();
        self.waiting().push(Waiting { changes, answer });
        let leader = self.leader.lock().await;
        if let Ok(result) = result.try_recv() {
            return result;
        }
        let group = std::mem::take(&mut *self.waiting());
        let mut all = Vec::new();
        let mut members = Vec::new();
        for waiting in group {
            members.push((waiting.changes.len(), waiting.answer));
            all.extend(waiting.changes);
        }
        match transact(all).await {
            Ok(committed) => {
                let mut committed = committed.into_iter();
                for (count, answer) in members {
                    // A member that was dropped needs no answer.
                    let _ = answer.send(Ok(committed.by_ref().take(count).collect()));
                }
            }
            Err(error) => {
                for (_, answer) in members {
                    let _ = answer.send(Err(StoreError::new(error.to_string())));
                }
            }
        }
        drop(leader);
        let interrupted = |_| StoreError::new("the transaction was interrupted");
        result.try_recv().map_err(interrupted)?
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
