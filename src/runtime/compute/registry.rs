//! The pools of this process, by name.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::Pool;

static POOLS: LazyLock<Mutex<HashMap<Box<str>, Weak<Pool>>>> = LazyLock::new(Mutex::default);

/// There is a pool of that name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pool of this name exists already")]
pub struct PoolExists;

/// The pool of this name, unless it is closed.
pub fn pool(id: &str) -> Option<Arc<Pool>> {
    POOLS.lock().get(id)?.upgrade()
}

/// Enters a new pool.
///
/// # Errors
/// One of that name is open.
pub(super) fn enter(id: &str, pool: &Arc<Pool>) -> Result<(), PoolExists> {
    let mut pools = POOLS.lock();
    // What is left of pools whose owner forgot to close them.
    pools.retain(|_, pool| pool.strong_count() > 0);
    if pools.contains_key(id) {
        return Err(PoolExists);
    }
    pools.insert(id.into(), Arc::downgrade(pool));
    Ok(())
}

/// Forgets a pool, unless another one has its name by now.
pub(super) fn leave(pool: &Pool) {
    let mut pools = POOLS.lock();
    let found = pools.get(pool.id());
    if found.is_some_and(|found| std::ptr::eq(found.as_ptr(), pool)) {
        pools.remove(pool.id());
    }
}
