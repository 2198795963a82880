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
        _ text: String, block: EnvelopeBlock? = nil, isBare: Bool = false, removesBcc: Bool = false,
        domains: [String] = []
    ) throws -> Intake {
        try intake(OctetString(text), block: block, isBare: isBare, removesBcc: removesBcc, domains: domains)
    }

    static func intake(
        _ raw: OctetString, block: EnvelopeBlock? = nil, isBare: Bool = false, removesBcc: Bool = false,
        domains: [String] = []
    ) throws -> Intake {
        try Intake(
            raw: raw, canonical: raw.withCRLFLineEnds(), block: block?.rendered(), isBare: isBare,
            removesBcc: removesBcc, authservID: authservID, domains: domains)
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
}
