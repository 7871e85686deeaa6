# Every check; changes no source.
verify:
    npm run verify

# The only recipe that changes sources.
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
