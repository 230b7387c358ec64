//! The examples of Web Authentication level 3, section 16: bytes that others made.

use super::super::{Assertion, Expect, WebauthnError, check, register};
use super::super::{Enrolled, Registration};
use crate::{base64url, digest};

struct Example {
    challenge: &'static str,
    client_data: &'static str,
    attestation_object: &'static str,
    credential: &'static str,
    shown_challenge: &'static str,
    shown_client_data: &'static str,
    authenticator_data: &'static str,
    signature: &'static str,
}

/// Section 16.2: ES256 without attestation.
const NONE_ES256: Example = Example {
    challenge: "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130",
    client_data: "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d",
    attestation_object: "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
    credential: "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4",
    shown_challenge: "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
    shown_client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
    authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
    signature: "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
};

/// Section 16.3: ES256 that attests itself.
const SELF_ES256: Example = Example {
    challenge: "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5",
    client_data: "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a2265476e4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c33417032392d55222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a205539685458764b453255526b4d6e625f307859485667227d",
    attestation_object: "a363666d74667061636b65646761747453746d74a263616c672663736967584630440220067a20754ab925005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147558c7c0eba3af18bd9d121fa3d3a26d17fe3f220272178f473b6006d68617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab51697791506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca5010203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2",
    credential: "455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c",
    shown_challenge: "4478a10b1352348dd160c1353b0d469b5db19eb91c27f7dfa6fed39fe26af20b",
    shown_client_data: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a225248696843784e534e493352594d45314f7731476d3132786e726b634a5f6666707637546e2d4a71386773222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a206754623533727a36456853576f6d58477a696d433151227d",
    authenticator_data: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50900000000",
    signature: "304402203310b9431903c401f1be2bdc8d23a4007682dbbddcf846994947b7f465daf84002204e94dd00047b316061b3b99772b7efd95994a83ef584b3b6b825ea3550251b66",
};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn registered(example: &Example) -> Result<Enrolled, WebauthnError> {
    let registration = Registration {
        credential: base64url::encode(bytes(example.credential)),
        client_data: bytes(example.client_data),
        attestation_object: bytes(example.attestation_object),
    };
    let origins = ["https://example.org".to_owned()];
    register(&registration, &Expect { challenge: &bytes(example.challenge), origins: &origins, rp_id: "example.org" })
}

fn shown(example: &Example) -> Assertion {
    Assertion {
        credential: base64url::encode(bytes(example.credential)),
        client_data: bytes(example.shown_client_data),
        authenticator_data: bytes(example.authenticator_data),
        signature: bytes(example.signature),
    }
}

#[test]
fn one_that_verified_its_person_and_attests_itself_is_enrolled() {
    let enrolled = registered(&SELF_ES256).unwrap();
    assert!(enrolled.backed_up);
    assert_eq!(enrolled.sign_count, 0);
    let used = shown(&SELF_ES256);
    let message = [used.authenticator_data.as_slice(), &digest::sha256(&used.client_data)].concat();
    assert!(enrolled.key.verifies(&message, &used.signature));
    let origins = ["https://example.org".to_owned()];
    let expect = Expect { challenge: &bytes(SELF_ES256.shown_challenge), origins: &origins, rp_id: "example.org" };
    assert_eq!(check(&enrolled.key, &used, &expect), Err(WebauthnError::NotVerified), "it was only touched");
}

#[test]
fn one_that_was_only_touched_is_not() {
    assert_eq!(registered(&NONE_ES256), Err(WebauthnError::NotVerified));
    let mut verified = bytes(NONE_ES256.attestation_object);
    // The flags stand after the hash of the relying party's id, which begins the authenticator data.
    let flags = verified.windows(4).position(|window| window == [0xbf, 0xab, 0xc3, 0x74]).unwrap() + 32;
    verified[flags] |= 0x04;
    let registration = Registration {
        credential: base64url::encode(bytes(NONE_ES256.credential)),
        client_data: bytes(NONE_ES256.client_data),
        attestation_object: verified,
    };
    let origins = ["https://example.org".to_owned()];
    let expect = Expect { challenge: &bytes(NONE_ES256.challenge), origins: &origins, rp_id: "example.org" };
    let key = register(&registration, &expect).unwrap().key;
    let used = shown(&NONE_ES256);
    let message = [used.authenticator_data.as_slice(), &digest::sha256(&used.client_data)].concat();
    assert!(key.verifies(&message, &used.signature));
    let expect = Expect { challenge: &bytes(NONE_ES256.shown_challenge), ..expect };
    assert_eq!(check(&key, &used, &expect), Err(WebauthnError::NotVerified));
}
