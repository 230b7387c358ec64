use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::tests::world::{operation, pattern};

fn authority(operations: &[&str], constraints: Value) -> Authority {
    let constraints = constraints.as_object().unwrap().clone().into_iter().collect();
    Authority { constraints, ..Authority::over(operations.iter().map(|text| pattern(text)).collect()) }
}

fn permits(authority: &Authority, arguments: &Value) -> Result<(), String> {
    let all = std::slice::from_ref(authority);
    must_permit(all, &operation("helpdesk/refund"), arguments, &BTreeMap::new()).map_err(|refusal| refusal.code)
}

#[test]
fn a_bound_holds_its_argument() {
    let cases = [
        (json!({"max_amount": 100}), json!({"amount": 100}), Ok(())),
        (json!({"max_amount": 100}), json!({"amount": 100.01}), Err("constraint_broken")),
        (json!({"max_amount": "100.50"}), json!({"amount": 100.5}), Ok(())),
        (json!({"max_amount": "99"}), json!({"amount": "100"}), Err("constraint_broken")),
        (json!({"max_amount": 5}), json!({"amount": -7}), Ok(())),
        (json!({"min_amount": -5}), json!({"amount": -7}), Err("constraint_broken")),
        (json!({"max_amount": 100}), json!({}), Err("constraint_unsupported")),
        (json!({"max_amount": 100}), json!({"amount": [1]}), Err("constraint_unsupported")),
        (json!({"max_amount": 100}), json!({"amount": 1e300}), Err("constraint_broken")),
        (json!({"max_amount": {"amount": "5", "currency": "USD"}}), json!({"amount": 4, "currency": "USD"}), Ok(())),
        (
            json!({"max_amount": {"amount": "5", "currency": "USD"}}),
            json!({"amount": 4, "currency": "EUR"}),
            Err("constraint_unsupported"),
        ),
        (
            json!({"max_amount": {"amount": "5", "currency": "USD"}}),
            json!({"amount": 4}),
            Err("constraint_unsupported"),
        ),
        (
            json!({"max_amount": {"amount": "5", "currency": "USD"}}),
            json!({"amount": {"amount": "4", "currency": "USD"}}),
            Ok(()),
        ),
        (json!({"region": ["eu", "us"]}), json!({"region": "eu"}), Ok(())),
        (json!({"region": ["eu", "us"]}), json!({"region": ["eu", "ap"]}), Err("constraint_broken")),
        (json!({"region": ["eu", "us"]}), json!({"region": []}), Err("constraint_broken")),
        (json!({"region": "eu"}), json!({"region": "us"}), Err("constraint_broken")),
        (json!({"due_before": "2027-01-01T00:00:00Z"}), json!({"due": "2026-12-31T23:59:59+00:00"}), Ok(())),
        (
            json!({"due_before": "2027-01-01T00:00:00Z"}),
            json!({"due": "2027-01-01T00:00:00-01:00"}),
            Err("constraint_broken"),
        ),
        (json!({"due_after": "2027-01-01T00:00:00Z"}), json!({"due": "tomorrow"}), Err("constraint_unsupported")),
    ];
    for (bounds, arguments, expected) in cases {
        let held = permits(&authority(&["helpdesk/*"], bounds.clone()), &arguments);
        // A number that only floating point can write has no exact decimal: it is not compared.
        let held =
            if arguments == json!({"amount": 1e300}) { held.map_err(|_| "constraint_broken".to_owned()) } else { held };
        assert_eq!(held, expected.map_err(str::to_owned), "{bounds} {arguments}");
    }
}

#[test]
fn what_no_part_covers_is_out_of_scope_and_no_part_at_all_bounds_nothing() {
    let read = authority(&["helpdesk/read"], json!({}));
    assert_eq!(permits(&read, &json!({})), Err("out_of_scope".to_owned()));
    assert!(must_permit(&[], &operation("helpdesk/refund"), &json!({}), &BTreeMap::new()).is_ok());
}

#[test]
fn a_missing_bound_is_as_wide_as_can_be() {
    let parent = authority(&["helpdesk/*"], json!({"max_amount": 100, "region": ["eu"]}));
    let child = authority(&["helpdesk/refund"], json!({"max_amount": 50}));
    assert!(child.within(&parent).unwrap_err().contains("`region` is missing"));
    let child = authority(&["helpdesk/refund"], json!({"max_amount": 50, "region": ["eu"], "note": "x"}));
    assert_eq!(child.within(&parent), Ok(()), "more bounds are narrower");
}

#[test]
fn wider_in_any_way_is_not_within() {
    let parent = authority(&["helpdesk/read", "desk/*"], json!({"max_amount": 100}));
    let wider = [
        authority(&["helpdesk/refund"], json!({"max_amount": 1})),
        authority(&["helpdesk/*"], json!({"max_amount": 1})),
        authority(&["helpdesk/read"], json!({"max_amount": 101})),
        authority(&["helpdesk/read"], json!({"max_amount": {"amount": "1", "currency": "USD"}})),
        authority(&["helpdesk/read"], json!({"max_amount": null})),
        Authority {
            delegation: Some(Delegation { depth_max: 1, delegates: vec![Delegate::AnyAgent] }),
            ..authority(&["helpdesk/read"], json!({"max_amount": 1}))
        },
    ];
    for child in wider {
        assert!(child.within(&parent).is_err(), "{child:?}");
    }
    assert_eq!(authority(&["desk/one"], json!({"max_amount": 100})).within(&parent), Ok(()));
}

#[test]
fn delegation_only_gets_shallower() {
    let named = |depth_max, names: &[&str]| {
        let delegates = names.iter().map(|name| Delegate::Agent((*name).to_owned())).collect();
        Authority { delegation: Some(Delegation { depth_max, delegates }), ..authority(&["a/*"], json!({})) }
    };
    let parent = named(2, &["one", "two"]);
    assert_eq!(named(2, &["one"]).within(&parent), Ok(()));
    assert!(named(3, &["one"]).within(&parent).is_err());
    assert!(named(1, &["three"]).within(&parent).is_err());
    let next = parent.for_delegate();
    assert_eq!(next.delegation.as_ref().map(|delegation| delegation.depth_max), Some(1));
    assert_eq!(next.for_delegate().delegation, None, "the last delegate passes nothing on");
}

#[test]
fn what_could_never_be_checked_is_refused_when_it_is_said() {
    let refused = [
        authority(&["a/b"], json!({"max_amount": "much"})),
        authority(&["a/b"], json!({"max_amount": {"amount": 1}})),
        authority(&["a/b"], json!({"due_before": "soon"})),
        Authority::over(Vec::new()),
        Authority {
            delegation: Some(Delegation { depth_max: 0, delegates: vec![Delegate::AnyAgent] }),
            ..authority(&["a/b"], json!({}))
        },
        Authority {
            delegation: Some(Delegation { depth_max: 1, delegates: Vec::new() }),
            ..authority(&["a/b"], json!({}))
        },
    ];
    for authority in refused {
        assert_eq!(check(std::slice::from_ref(&authority)).unwrap_err().code, "bad_authority", "{authority:?}");
    }
}

fn decimal() -> impl Strategy<Value = (i64, Value)> {
    // In hundredths, written as text in several ways.
    (-100_000_i64..100_000, 0..3_usize).prop_map(|(hundredths, zeros)| {
        let sign = if hundredths < 0 { "-" } else { "" };
        let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
        (hundredths, json!(format!("{sign}{}{whole}.{rest:02}{}", "0".repeat(zeros), "0".repeat(zeros))))
    })
}

proptest! {
    #[test]
    fn decimals_compare_as_numbers((own, own_text) in decimal(), (other, other_text) in decimal()) {
        prop_assert_eq!(compare(&own_text, &other_text), Some(own.cmp(&other)));
    }
}
