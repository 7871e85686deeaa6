//! Link settings for the Node.js addon.
fn main() {
    napi_build::setup();
}
