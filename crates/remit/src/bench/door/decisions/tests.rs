use remit_policy::{PolicySet, PolicySource, Schema};

use super::*;

#[test]
fn generated_policies_fill_proposals_and_compile() {
    let (mut first, mut sources) = (0, remit_policy::starter());
    while first < 600 {
        let (text, count) = policies(first, 600);
        assert!(count > 0 && text.len() < PROPOSAL_BYTES + 1024);
        sources.push(PolicySource { name: format!("bench-{first:05}"), text });
        first += count;
    }
    assert_eq!(first, 600);
    // Each verb has an operation of its own in every schema, and these policies name none.
    let schema = Schema::generate(std::iter::empty()).unwrap();
    let set = PolicySet::compile(&sources, &schema);
    assert!(set.is_ok(), "{:?}", set.err());
}
