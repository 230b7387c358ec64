use super::*;

#[test]
fn a_range_is_an_address_and_a_length() {
    for text in ["10.1.0.0/16", "0.0.0.0/0", "127.0.0.1/32", "fd00::/8", "::/0", "::1/128"] {
        assert_eq!(Network::try_from(text.to_owned()).unwrap().to_string(), text);
    }
}

#[test]
fn bits_beyond_the_length_are_a_mistake() {
    for text in ["10.1.2.3/16", "10.0.0.0", "10.0.0.0/33", "fd00::1/64", "::/129", "host/8", "10.0.0.0/-1", ""] {
        let error = Network::try_from(text.to_owned()).unwrap_err().to_string();
        assert!(error.contains("10.1.0.0/16"), "{error}");
    }
}
