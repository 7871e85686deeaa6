//! Panics on demand, for the tests of the border.

use napi_derive::napi;

use super::server::NativeServer;

#[napi]
impl NativeServer {
    /// Makes the next step of this kind panic: `call`, `event`, `io` or `drop`.
    #[napi(catch_unwind)]
    pub fn chaos(&self, place: String) {
        crate::runtime::chaos::arm(&place);
    }
}
