#!/usr/bin/env bats
# What the real kwctl makes of the policy: every fixture, the settings, and the project's own files.
# Needs bats 1.8, jq and kwctl. Each of these variables has a default:
#
#   KWCTL   the kwctl to ask
#   POLICY  the annotated policy

bats_require_minimum_version 1.5.0

setup_file() {
    export ROOT KWCTL POLICY
    ROOT="$(cd "$BATS_TEST_DIRNAME/.." && pwd)"
    KWCTL="${KWCTL:-kwctl}"
    POLICY="file://$(realpath -m "${POLICY:-$ROOT/annotated-policy.wasm}")"
    # Otherwise each failed host call prints its stack.
    export RUST_BACKTRACE=0
}

setup() {
    FIXTURES="$ROOT/e2e-tests/fixtures"
    EXAMPLES="$ROOT/examples"
    # The capabilities of the metadata, and no other.
    mapfile -t CAPABILITIES < <(
        awk '/^[^ #]/ { listed = /^hostCapabilities:/ } listed && /^ +- / { print $2 }' "$ROOT/policy-metadata.yml"
    )
}

# run_kwctl REQUEST SETTINGS SESSION: what `kwctl run` answers goes to answer, what it logs to log.
run_kwctl() {
    local request=$1 settings=$2 session=$3
    "$KWCTL" --no-color run --allowed-host-capabilities "${CAPABILITIES[@]}" --allow-context-aware \
        --request-path "$request" --settings-path "$settings" \
        --replay-host-capabilities-interactions "$session" \
        "$POLICY" >"$BATS_TEST_TMPDIR/answer" 2>"$BATS_TEST_TMPDIR/log"
}

# What kwctl logs where a question was not in the session, an exchange is left over, or the policy
# wants what it may not have.
COMPLAINTS='Replay error|list of recorded responses is empty|have not been replayed|has not been granted|have access to|access to Kubernetes resources'

# judge STEM: the fixture's verdict is the declared one.
judge() {
    local stem=$1
    local settings="$FIXTURES/$stem.settings.json"
    if [[ ! -e $settings ]]; then
        settings="$BATS_TEST_TMPDIR/default-settings.json"
        echo '{}' >"$settings"
    fi
    if ! run_kwctl "$FIXTURES/$stem.json" "$settings" "$FIXTURES/$stem.session.yml"; then
        echo "$stem: kwctl failed"
        tail -n 5 "$BATS_TEST_TMPDIR/log"
        return 1
    fi
    local comparable='{allowed, code, message, warnings: (.warnings // [])}'
    local expected found
    expected="$(jq --sort-keys "$comparable" "$FIXTURES/$stem.expected.json")"
    found="$(jq --sort-keys ". + {code: .status.code, message: .status.message} | $comparable" "$BATS_TEST_TMPDIR/answer")"
    if [[ $found != "$expected" ]]; then
        echo "$stem:"
        diff --label expected --label kwctl --unified <(echo "$expected") <(echo "$found")
        return 1
    fi
    if grep -E "$COMPLAINTS" "$BATS_TEST_TMPDIR/log"; then
        echo "$stem: kwctl complains"
        return 1
    fi
}

# judge_all PATTERN: every fixture of these rules; all that differ are told.
judge_all() {
    local pattern=$1 expected number=0 failures=0
    for expected in "$FIXTURES"/$pattern-*.expected.json; do # a pattern: not quoted
        judge "$(basename "$expected" .expected.json)" || failures=$((failures + 1))
        number=$((number + 1))
    done
    echo "$failures of $number differ"
    ((number > 0 && failures == 0))
}

@test "A0: what is not judged" { judge_all a0; }
@test "A1: the label on a Pod" { judge_all a1; }
@test "A2: the label in a Pod template" { judge_all a2; }
@test "A3: the annotation" { judge_all a3; }
@test "A4: updates that change nothing" { judge_all a4; }
@test "A5: a second mesh" { judge_all a5; }
@test "A6: the Dataplane's field decides" { judge_all a6; }
@test "A7: what a predecessor left behind" { judge_all a7; }
@test "A8: which updates are judged" { judge_all a8; }
@test "A9: warnings instead of rejections" { judge_all a9; }
@test "A10: Pods of another mesh" { judge_all a10; }
@test "A11: the mesh rule on Pod templates" { judge_all a11; }
@test "A12: a Namespace moves" { judge_all a12; }
@test "A13: questions without an answer" { judge_all a13; }
@test "A14: what cannot be read" { judge_all a14; }
@test "A15: audits" { judge_all a15; }
@test "A16: a mesh that does not exist" { judge_all a16; }
@test "A17: the declared mesh" { judge_all a17; }
@test "A18: a Namespace that is split already" { judge_all a18; }
@test "A19: exempt Namespaces" { judge_all a19; }
@test "A20: who may join which mesh" { judge_all a20; }
@test "A21: the injection label taken off" { judge_all a21; }
@test "P: Workload objects" { judge_all 'p[0-9]'; }
@test "M: the mesh of a Pod" { judge_all 'm[0-9]'; }
@test "I: which Pods are in a mesh" { judge_all 'i[0-9]'; }
@test "W: the workload's name" { judge_all 'w[0-9]'; }

@test "a rule's test covers each fixture" {
    local expected covered
    for expected in "$FIXTURES"/*.expected.json; do
        covered="$(basename "$expected")"
        [[ $covered =~ ^(a1?[0-9]|a2[01]|[pmiw][0-9])-[a-z0-9-]+\.expected\.json$ ]] || { echo "$covered"; return 1; }
    done
}

@test "a call too many would be noticed" {
    echo '[]' >"$BATS_TEST_TMPDIR/nothing.yml"
    run_kwctl "$FIXTURES/a5-same-mesh.json" "$FIXTURES/a5-same-mesh.settings.json" "$BATS_TEST_TMPDIR/nothing.yml"
    jq --exit-status '.allowed == false and .status.code == 500' "$BATS_TEST_TMPDIR/answer"
    grep 'list of recorded responses is empty' "$BATS_TEST_TMPDIR/log"
}

@test "the recommended settings are valid" {
    run_kwctl "$FIXTURES/a1-forged-label.json" "$EXAMPLES/settings.yml" "$FIXTURES/a1-forged-label.session.yml"
}

@test "invalid settings are refused, with every fault at once" {
    cat >"$BATS_TEST_TMPDIR/settings.yml" <<-SETTINGS
	disallowMultipleMeshPerNamespace: true
	action: reject
	workloadManagers: ["*"]
	SETTINGS
    run ! run_kwctl "$FIXTURES/a1-forged-label.json" "$BATS_TEST_TMPDIR/settings.yml" "$FIXTURES/a1-forged-label.session.yml"
    [[ ! -s $BATS_TEST_TMPDIR/answer ]]
    grep 'Provided settings are not valid' "$BATS_TEST_TMPDIR/log"
    grep 'disallowMultipleMeshesPerNamespace' "$BATS_TEST_TMPDIR/log"
    grep 'action' "$BATS_TEST_TMPDIR/log"
    grep 'workloadManagers' "$BATS_TEST_TMPDIR/log"
}

@test "README's command gives the answer that README shows" {
    local block command
    block="$(sed -n '/^\$ kwctl run -r /,/^```$/p' "$ROOT/README.md" | grep -v '^```$')"
    command="$(head -n 2 <<<"$block" | sed 's/^\$ kwctl/"$KWCTL"/; s#annotated-policy.wasm#"$POLICY"#')"
    # fold leaves a space where it breaks a line.
    diff --ignore-trailing-space <(cd "$ROOT" && eval "$command" 2>/dev/null) <(tail -n +3 <<<"$block")
}

@test "kwctl inspect shows the metadata" {
    "$KWCTL" inspect --output yaml "$POLICY" >"$BATS_TEST_TMPDIR/metadata"
    grep 'protocolVersion: v1' "$BATS_TEST_TMPDIR/metadata"
    grep 'executionMode: kubewarden-wapc' "$BATS_TEST_TMPDIR/metadata"
    local capability
    for capability in "${CAPABILITIES[@]}"; do
        grep --fixed-strings -- "- $capability" "$BATS_TEST_TMPDIR/metadata"
    done
    "$KWCTL" inspect "$POLICY" >"$BATS_TEST_TMPDIR/page"
    grep 'kuma-workload-policy' "$BATS_TEST_TMPDIR/page"
    grep 'background audit support: *true' "$BATS_TEST_TMPDIR/page"
}

@test "kwctl scaffold manifest makes a policy of it" {
    "$KWCTL" scaffold manifest --type ClusterAdmissionPolicy --allow-context-aware \
        --settings-path "$EXAMPLES/settings.yml" "$POLICY" >"$BATS_TEST_TMPDIR/manifest"
    grep 'kind: ClusterAdmissionPolicy' "$BATS_TEST_TMPDIR/manifest"
    grep 'mutating: false' "$BATS_TEST_TMPDIR/manifest"
    grep 'kind: Dataplane' "$BATS_TEST_TMPDIR/manifest"
    grep 'disallowMultipleMeshesPerNamespace: true' "$BATS_TEST_TMPDIR/manifest"
}

@test "kwctl scaffold artifacthub agrees with artifacthub-pkg.yml" {
    "$KWCTL" scaffold artifacthub --metadata-path "$ROOT/policy-metadata.yml" \
        --questions-path "$ROOT/questions-ui.yml" --output "$BATS_TEST_TMPDIR/package"
    # Only the time of its making differs.
    diff <(grep -v '^createdAt:' "$ROOT/artifacthub-pkg.yml") <(grep -v '^createdAt:' "$BATS_TEST_TMPDIR/package")
}
