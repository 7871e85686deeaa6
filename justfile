# Every check; writes nothing.
verify:
    npm run verify

# The only recipe that writes.
fix:
    cargo fmt
    npm run format

build:
    npm run build

test:
    cargo test
    npm test

# SocketCluster's own suites and the differential test, with everything else that CI runs.
compat:
    .ci/run
