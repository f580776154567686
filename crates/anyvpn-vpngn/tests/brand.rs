//! A brand is one DNS label, so no brand leads to another host.

use anyvpn_vpngn::{ErrorKind, Vpngn};

#[test]
fn a_brand_is_the_first_label_of_the_host() {
    let longest = "a".repeat(63);
    for (brand, label) in [
        ("acme", "acme"),
        ("Acme-VPN", "acme-vpn"),
        ("a", "a"),
        ("7", "7"),
        ("a--b", "a--b"),
        ("xn--bcher-kva", "xn--bcher-kva"),
        (&longest, &longest),
    ] {
        let vpngn = Vpngn::brand(brand).unwrap().build().unwrap();
        assert_eq!(vpngn.client().base_url(), format!("https://{label}.vpngn.com"));
    }
}

#[test]
fn invalid_brands_are_refused() {
    let too_long = "a".repeat(64);
    for brand in [
        "",
        " ",
        " acme",
        "acme ",
        "acme\n",
        "-acme",
        "acme-",
        "-",
        ".",
        "..",
        "acme.",
        ".acme",
        "acme.evil",
        "evil.com/",
        "evil.com#",
        "evil.com?",
        "evil.com\\",
        "user@evil",
        "a:80",
        "a%2eb",
        "a_b",
        "bücher",
        "ａcme",
        "a\0b",
        "[::1]",
        "127.0.0.1",
        &too_long,
    ] {
        let error = Vpngn::brand(brand).err().unwrap_or_else(|| panic!("{brand:?} was taken"));
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields().contains_key("brand"), "{error}");
    }
}

#[test]
fn a_key_goes_to_https_or_to_this_machine_only() {
    for url in ["http://brand.vpngn.com", "http://user@127.0.0.1", "ftp://127.0.0.1", "brand"] {
        assert!(Vpngn::builder(url).build().is_err(), "{url}");
    }
    for url in ["https://brand.vpngn.com/", "http://127.0.0.1:8080/vpngn", "http://localhost"] {
        let vpngn = Vpngn::builder(url).build().unwrap();
        assert_eq!(vpngn.client().base_url(), url.trim_end_matches('/'));
    }
}
