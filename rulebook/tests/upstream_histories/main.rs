//! The roster makes the Workloads that Kuma's real control plane made in 60 histories.
#![allow(clippy::unwrap_used, clippy::panic)]

mod histories;

use histories::{History, SimulatedNamespace, Tally, histories, replay};

#[test]
fn l1_to_l8_the_workloads_are_upstreams_or_a_rule_says_why() {
    let mut tally = Tally::default();
    for History {
        id,
        steps,
        workloads_after_each_step,
    } in histories()
    {
        assert_eq!(steps.len(), workloads_after_each_step.len(), "{id}");
        let mut simulated = SimulatedNamespace::default();
        for (index, (step, upstream)) in steps.iter().zip(workloads_after_each_step).enumerate() {
            let place = format!("{id}, step {index}");
            replay(
                &mut simulated,
                step,
                &upstream.into_iter().collect(),
                &place,
                &mut tally,
            );
        }
    }
    assert_eq!(tally, Tally::of_all());
}
