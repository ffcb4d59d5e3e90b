use super::*;

fn key(workload: &str) -> Key {
    Key {
        namespace: "shop".into(),
        workload: workload.into(),
    }
}

fn after(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

fn fences() -> Fences {
    Fences::new(100)
}

#[test]
fn l19_a_delete_passes_only_after_a_list_without_a_reference() {
    let (mut fences, start) = (fences(), Instant::now());
    assert!(!fences.ask(&key("web"), start));
    assert!(!fences.ask(&key("api"), start));
    let list = fences.next(start).unwrap();
    assert_eq!(list.due.len(), 2, "one list serves all that are due");
    assert_eq!(fences.next(start), Err(None), "it is under way");
    let outcome = fences.listed(list, &References::of(&["web"], false), start);
    assert_eq!(outcome.passed, [key("api")]);
    assert_eq!(outcome.referenced, [key("web")]);
    assert!(fences.has_passed(&key("api"), start));
    assert!(!fences.has_passed(&key("web"), start));
    let late = after(start, 5_000);
    assert!(!fences.has_passed(&key("api"), late), "the list is old");
    assert!(!fences.ask(&key("api"), late));
}

#[test]
fn l19_one_list_of_a_namespace_each_second_and_four_at_a_time() {
    let (mut fences, start) = (fences(), Instant::now());
    for namespace in ["a", "b", "c", "d", "e"] {
        let key = Key {
            namespace: namespace.into(),
            workload: "web".into(),
        };
        fences.ask(&key, start);
    }
    let lists: Vec<_> = (0..4).map(|_| fences.next(start).unwrap()).collect();
    assert_eq!(fences.next(start), Err(None));
    let of_a = lists.into_iter().next().unwrap();
    fences.listed(of_a, &References::default(), start);
    assert_eq!(fences.next(start).unwrap().namespace, "e");
    let again = Key {
        namespace: "a".into(),
        workload: "api".into(),
    };
    fences.ask(&again, start);
    fences.running = 0;
    assert_eq!(fences.next(start), Err(Some(after(start, 1_000))));
    assert!(fences.next(after(start, 1_000)).is_ok());
}

#[test]
fn l19_an_identifier_that_is_not_known_forbids_every_delete() {
    let (mut fences, start) = (fences(), Instant::now());
    fences.ask(&key("web"), start);
    let list = fences.next(start).unwrap();
    let outcome = fences.listed(list, &References::of(&[], true), start);
    assert_eq!(outcome.unknown, [key("web")]);
    assert!(outcome.referenced.is_empty() && !fences.has_passed(&key("web"), start));
}

#[test]
fn l19_a_list_of_another_term_lets_nothing_pass() {
    let (mut fences, start) = (fences(), Instant::now());
    fences.ask(&key("web"), start);
    let of_before = fences.next(start).unwrap();
    fences.clear();
    fences.ask(&key("web"), start);
    let of_now = fences.next(start).unwrap();
    let outcome = fences.listed(of_before.clone(), &References::default(), start);
    assert_eq!(outcome, FenceOutcome::default());
    fences.failed(of_before, "late".into(), None, start);
    assert!(!fences.has_passed(&key("web"), start));
    assert_eq!((fences.running, fences.listing), (1, 1));
    let outcome = fences.listed(of_now, &References::default(), start);
    assert_eq!(outcome.passed, [key("web")]);
}

#[test]
fn l14_what_is_over_is_forgotten() {
    let (mut fences, start) = (fences(), Instant::now());
    fences.ask(&key("web"), start);
    let list = fences.next(start).unwrap();
    fences.listed(list, &References::default(), start);
    fences.deleting(&key("web"));
    let check = fences.next(after(start, 1_000)).unwrap();
    fences.listed(check, &References::default(), after(start, 1_000));
    assert_eq!(fences.next(after(start, 1_500)), Err(None));
    assert_eq!(fences.namespaces.len(), 1, "its next list must wait");
    assert_eq!(fences.next(after(start, 2_000)), Err(None));
    assert!(fences.namespaces.is_empty());
}

#[test]
fn l22_a_list_that_fails_is_tried_again_ever_more_slowly() {
    let (mut fences, mut now) = (fences(), Instant::now());
    fences.ask(&key("web"), now);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let list = fences.next(now).unwrap();
        fences.failed(list, "denied".into(), None, now);
        let next = fences.next(now).unwrap_err().unwrap();
        pauses.push(next - now);
        now = next;
    }
    assert!(pauses[7] >= Duration::from_secs(30), "{pauses:?}");
    let list = fences.next(now).unwrap();
    assert!(list.due.contains("web"), "the delete is still due");
    let asked = Duration::from_secs(600);
    fences.failed(list, "busy".into(), Some(asked), now);
    assert_eq!(fences.next(now), Err(Some(now + asked)));
}

#[test]
fn l19_what_came_in_between_is_found_by_the_list_after_the_deletes() {
    let (mut fences, start) = (fences(), Instant::now());
    fences.ask(&key("web"), start);
    let list = fences.next(start).unwrap();
    fences.listed(list, &References::default(), start);
    fences.deleting(&key("web"));
    assert!(!fences.has_passed(&key("web"), start), "a pass is for once");
    let check = fences.next(after(start, 1_000)).unwrap();
    let outcome = fences.listed(check, &References::of(&["web"], false), start);
    assert_eq!(outcome.missed, [key("web")]);
    assert_eq!(fences.next(after(start, 9_000)), Err(None));
}

#[test]
fn l19_no_more_is_listed_for_than_can_be_deleted_while_the_list_is_new() {
    let (mut fences, start) = (Fences::new(1), Instant::now());
    for workload in ["a", "b", "c"] {
        fences.ask(&key(workload), start);
    }
    let other = Key {
        namespace: "team".into(),
        workload: "web".into(),
    };
    fences.ask(&other, start);
    let list = fences.next(start).unwrap();
    assert!(list.due.iter().eq(["a", "b"]));
    assert_eq!(fences.next(start), Err(None), "the list is under way");
    fences.listed(list, &References::default(), start);
    let too_old = after(start, 5_000);
    assert_eq!(
        fences.next(start),
        Err(Some(too_old)),
        "both have to be deleted first"
    );
    fences.deleting(&key("a"));
    let list = fences.next(start).unwrap();
    assert_eq!(list.namespace, "team");
    fences.listed(list, &References::default(), start);
    fences.deleting(&key("b"));
    let list = fences.next(after(start, 1_000)).unwrap();
    assert!(list.due.iter().eq(["c"]));
    assert!(list.deleted.iter().eq(["a", "b"]));
}
