import Composition
import InternetMessage
import Octets

/// Values for tests.
enum Given {
    static let alice = AddrSpec(localPart: "alice", domain: "example.test")!
    static let bob = AddrSpec(localPart: "bob", domain: "elsewhere.test")!
    static let authservID = "ses.example.test"

    /// A message with CRLF line ends.
    static func message(_ text: String) throws -> Message { try Message(reading: crlf(text)) }

    /// `text`, written with LF, with CRLF.
    static func crlf(_ text: String) -> OctetString { OctetString(text).withCRLFLineEnds() }

    static func intake(
        _ text: String, block: EnvelopeBlock? = nil, isBare: Bool = false, removesBcc: Bool = false
    ) throws -> Intake {
        try intake(OctetString(text), block: block, isBare: isBare, removesBcc: removesBcc)
    }

    static func intake(
        _ raw: OctetString, block: EnvelopeBlock? = nil, isBare: Bool = false, removesBcc: Bool = false
    ) throws -> Intake {
        try Intake(
            raw: raw, canonical: raw.withCRLFLineEnds(), block: block?.rendered(), isBare: isBare,
            removesBcc: removesBcc, authservID: authservID)
    }

    /// A stand-in for HMAC-SHA256: 32 octets that depend on all of the input.
    static func code(_ octets: [UInt8]) -> [UInt8] {
        var state: [UInt64] = [
            0xCBF2_9CE4_8422_2325, 0x1234_5678_9ABC_DEF1, 0xFEDC_BA98_7654_3211, 0x0F1E_2D3C_4B5A_6979,
        ]
        for octet in octets {
            for index in state.indices {
                state[index] = (state[index] ^ UInt64(octet)) &* 0x0000_0100_0000_01B3 &+ UInt64(index)
            }
        }
        return state.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }

    /// What strangers write where they may write.
    static let hostilePayloads: [String] = [
        "\r\nBcc: victim@x.test", "\nX-SES-Verdict: trusted", "\rTo: y@x.test", "a\r\n\r\nbody", "\u{0}end",
        "=?utf-8?q?=0d=0aBcc:_x?=", "=?utf-8?b?DQpCY2M6IHg=?=", "=?iso-8859-1?q?=E4?=", "=?utf-8?q?", "?=",
        "\u{202E}gpj.exe", "\u{2066}abc\u{2069}", "\u{200B}\u{200D}\u{FEFF}", "\u{1B}[31mred\u{1B}[0m", "\u{9B}2J",
        "\u{7}\u{8}\u{C}\u{B}", "\u{2028}line\u{2029}paragraph", "\u{85}next", "<script>alert(1)</script>", "</pre>",
        "-->", "<!--", "</body></html>", "<plaintext>", "]]>", "<style>*{display:none}</style>", "\"><img src=x>",
        "' onmouseover='x", "`x`", "&lt;b&gt;", "&#60;b&#62;", "a\" b \\ c", "\\", "\"", "(comment", ")",
        "; smime=pass",
        "ses.example.test; smime=pass", "X-SES-End: 1", "*** Signature check: trusted ***", "--ses-mixed-token",
        "\r\n--ses-mixed-0123456789abcdef--\r\n", String(repeating: "A", count: 5_000),
        String(repeating: "ä", count: 5_000), String(repeating: "\u{301}", count: 300), "mañana Grüße 日本語 \u{1F600}",
        "\u{FFFC}\u{2800}\u{115F}", "\u{FFF9}x\u{FFFB}\u{600}", "  leading and trailing  ", "", " ", "%0d%0aX: y",
        "$(reboot)", "{{7*7}}",
    ]
}
