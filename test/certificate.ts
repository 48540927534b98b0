/**
 * A certificate of its own authority for `slack.test`, and its key, so that the tests need no openssl. It is good for
 * nothing else: nobody trusts it who is not told to.
 */
export const slackTest = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBlzCCAT6gAwIBAgIUE5Hn0miut4cU12nXRn8+LsjOPjkwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKc2xhY2sudGVzdDAgFw0yNjExMjEwNzM4MjdaGA8yMTI2MTAy
ODA3MzgyN1owFTETMBEGA1UEAwwKc2xhY2sudGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABK2m92Ytc48/nKPnoABBJ6VFcOY8oS1g+dh9/gdFoW4oc8FJ8Hda
yzJMOfyDrcBnxabJr4x+goiZyXFkBsiY0n2jajBoMB0GA1UdDgQWBBTb1ObQ2pEz
iEHG4MG+YLTK+RR5oDAfBgNVHSMEGDAWgBTb1ObQ2pEziEHG4MG+YLTK+RR5oDAV
BgNVHREEDjAMggpzbGFjay50ZXN0MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0E
AwIDRwAwRAIgRsvQ5/DaTxXgy368P2PYeHxvFDoMwkIRaLOadtmBeZUCIHLINUG2
VhOEwXwKOQBuh4tiwmREj4a5CoLt4ntf1LrA
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL5QDjeSsDxyEQZcH
6D/jBJOyD1/l2Yzk4VNmiQJL11ChRANCAAStpvdmLXOPP5yj56AAQSelRXDmPKEt
YPnYff4HRaFuKHPBSfB3WssyTDn8g63AZ8Wmya+MfoKImclxZAbImNJ9
-----END PRIVATE KEY-----
`,
} as const;
