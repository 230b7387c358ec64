use super::*;

#[test]
fn this_process_is_known() {
    let pid = i32::try_from(std::process::id()).unwrap();
    let known = stat(pid).unwrap();
    assert_eq!(known.id.pid, pid);
    assert!(known.id.started_at_ticks > 0);
    assert_eq!(known.parent, i32::try_from(std::os::unix::process::parent_id()).unwrap());
    let (uid, gid) = user_and_group(pid).unwrap();
    assert_eq!((uid, gid), (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));
    control_group(pid).unwrap();
    assert!(stat(i32::MAX).is_err());
}

#[test]
fn a_name_cannot_pretend_to_be_other_fields() {
    let line = "42 (a) R 1 2 (b) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987 1000 5\n";
    let expected = Stat { id: ProcessId { pid: 42, started_at_ticks: 987 }, parent: 7 };
    assert_eq!(parse_stat(42, line), Some(expected));
    for strange in ["", "42 (a", "42 (a) R", "42 (a) R x 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987"] {
        assert_eq!(parse_stat(42, strange), None, "{strange}");
    }
}

#[test]
fn control_groups_of_both_versions_are_read() {
    assert_eq!(parse_control_group("0::/system.slice/a.service\n"), Some("/system.slice/a.service"));
    let mixed = "12:cpu:/x\n1:name=systemd:/system.slice/a.service\n0::/\n";
    assert_eq!(parse_control_group(mixed), Some("/"));
    let first = "12:cpu:/x\n1:name=systemd:/system.slice/a.service\n";
    assert_eq!(parse_control_group(first), Some("/system.slice/a.service"));
    // A group may hold what looks like a line's beginning.
    assert_eq!(parse_control_group("0::/a:b 0::c\n"), Some("/a:b 0::c"));
    for nowhere in ["", "12:cpu:/x\n", "0::/../other\n", "0::/gone (deleted)\n", "0::relative\n"] {
        assert_eq!(parse_control_group(nowhere), None, "{nowhere}");
    }
}
