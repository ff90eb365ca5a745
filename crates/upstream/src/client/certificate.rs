//! What a server of a test shows to whoever connects to it.

/// A certificate for `localhost` that has signed itself, good from 2020 to 2099, and its key. Made for this test.
pub(crate) const CERTIFICATE: &str = "MIIBYjCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAlMSMwIQYDVQQDDBpub2JvZHkgdGhhdCBhbnlib2R5IHRydXN0czAgFw0yMDAx\
    MDEwMDAwMDBaGA8yMDk5MTIzMTAwMDAwMFowJTEjMCEGA1UEAwwabm9ib2R5IHRoYXQgYW55Ym9keSB0cnVzdHMwWTATBgcqhkjO\
    PQIBBggqhkjOPQMBBwNCAASNtSf6xKz3VwXZAa1sm/GA3tU6a/E5j/xLn69DmgJUIF+hrGEd1IL5XeAs5Mx7XWE1GkNwIvS/ms1A\
    y0CmHDOYoyYwJDAUBgNVHREEDTALgglsb2NhbGhvc3QwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNJADBGAiEAqn02KApf4GQo\
    GpqkF9E1LfzLe4Y1hQYgETMTYqWDN2oCIQDNPxuN6ltL2X1UZZHRJM0D3gcHCYNeAm3I6ygRxdGV/A==";
pub(crate) const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQUv9K4BqhjpqDBXwZILjx58DiEomXJ3q0WM/nJM79fOhRANCAASN\
    tSf6xKz3VwXZAa1sm/GA3tU6a/E5j/xLn69DmgJUIF+hrGEd1IL5XeAs5Mx7XWE1GkNwIvS/ms1Ay0CmHDOY";
