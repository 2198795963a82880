import InternetMessage
import Octets

@testable import MessageInspection

/// A message from its text, whose lines end with LF here.
func message(_ text: String, crlf: Bool = true) throws -> Message {
    let octets = crlf ? text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] } : Array(text.utf8)
    return try Message(reading: OctetString(octets))
}

/// The facts of such a message.
func facts(_ text: String, recipients: [String] = [], sender: ReversePath? = nil) throws -> InspectedMessage {
    InspectedMessage(try message(text), recipients: recipients.compactMap { AddrSpec(parsing: $0) }, sender: sender)
}

/// The beginning of a CMS object.
struct CMSBeginning {
    let octets: [UInt8]

    static let pkcs7: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07]
    static let smime: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01]

    /// - Parameter isIndefinite: BER with indefinite lengths instead of DER.
    init(_ identifier: [UInt8], content: [UInt8] = [0x02, 0x01, 0x01, 0x31, 0x0B], isIndefinite: Bool = false) {
        let length: [UInt8] = isIndefinite ? [0x80] : [0x82, 0x10, 0x00]
        octets =
            [0x30] + length + [0x06, UInt8(identifier.count)] + identifier + [0xA0] + length + [0x30] + length + content
            + [UInt8](repeating: 0x30, count: 200)
    }

    static let signedData = CMSBeginning(pkcs7 + [2])
    static let signedDataInBER = CMSBeginning(pkcs7 + [2], isIndefinite: true)
    static let certificatesOnly = CMSBeginning(pkcs7 + [2], content: [0x02, 0x01, 0x01, 0x31, 0x00])
    static let certificatesOnlyInBER = CMSBeginning(
        pkcs7 + [2], content: [0x02, 0x01, 0x01, 0x31, 0x80, 0x00, 0x00], isIndefinite: true)
    static let enveloped = CMSBeginning(pkcs7 + [3])
    static let authEnveloped = CMSBeginning(smime + [23])
    static let compressed = CMSBeginning(smime + [9])
    static let digested = CMSBeginning(pkcs7 + [5])

    var base64: String { MessageInspectionTests.base64(octets) }
}

/// Base64 in lines of 76 characters.
func base64(_ octets: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: octets.count, by: 3) {
        let group = octets[start..<min(start + 3, octets.count)]
        let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for index in 0..<4 {
            text.append(index <= group.count ? alphabet[bits >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
        }
        if start % 57 == 54 { text.append(0x0A) }
    }
    return String(decoding: text, as: UTF8.self)
}
