import Octets

/// The value of /Contents: room for a signature, filled from the front and padded with zeros.
enum PaddedContents {
    /// Of the hexadecimal digits. Signatures with their chain and revocation data take some 100 KB.
    static let most = 16 << 20

    /// The value without its padding, or what is wrong.
    ///
    /// Everything in the gap is outside the signed octets, so only the digits of one element of DER or BER may be
    /// there, and zeros.
    static func value(_ token: OctetString) -> Result<OctetString, PDFError> {
        func invalid(_ reason: String) -> Result<OctetString, PDFError> { .failure(PDFError(.damaged, reason)) }
        guard token.count <= most else { return invalid("/Contents is larger than \(most) digits") }
        guard token.first == UInt8(ascii: "<") else { return invalid("/Contents is no hexadecimal string") }
        let digits = token.slice(1..<(token.count - 1))
        guard digits.count > 0 else { return invalid("no signature value: /Contents is empty") }
        guard digits.count % 2 == 0 else { return invalid("/Contents has an odd number of digits") }
        var isClean = true
        let octets = OctetString(count: digits.count / 2) { target in
            digits.withUnsafeBytes { digits in
                for index in 0..<target.count {
                    guard let high = digit(digits[2 * index]), let low = digit(digits[2 * index + 1]) else {
                        isClean = false
                        target[index] = 0
                        continue
                    }
                    target[index] = high << 4 | low
                }
            }
        }
        guard isClean else { return invalid("/Contents holds more than hexadecimal digits") }
        return octets.withUnsafeBytes { raw in
            guard raw.contains(where: { $0 != 0 }) else { return invalid("no signature value: /Contents is all zeros") }
            guard let end = elementEnd(raw) else { return invalid("/Contents is not one whole element of DER") }
            guard raw[end...].allSatisfy({ $0 == 0 }) else {
                return invalid("/Contents holds more than the signature and its padding")
            }
            return .success(octets.slice(0..<end))
        }
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet & 15
        case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): (octet & 15) + 9
        default: nil
        }
    }

    /// Returns the end of the element at the front (X.690 §8.1). With indefinite lengths it is the end of the elements
    /// within.
    private static func elementEnd(_ octets: UnsafeRawBufferPointer) -> Int? {
        var position = 0
        var open = 0
        repeat {
            guard position + 1 < octets.count else { return nil }
            let tag = octets[position]
            position += 1
            if tag & 0x1F == 0x1F {
                while position < octets.count, octets[position] & 0x80 != 0 { position += 1 }
                position += 1
                guard position < octets.count else { return nil }
            }
            let first = Int(octets[position])
            position += 1
            if tag == 0, first == 0 {
                guard open > 0 else { return nil }
                open -= 1
            } else if first == 0x80 {
                guard tag & 0x20 != 0 else { return nil }
                open += 1
            } else {
                var length = first
                if first > 0x80 {
                    guard first <= 0x84, position + (first & 0x7F) <= octets.count else { return nil }
                    length = octets[position..<(position + (first & 0x7F))].reduce(0) { $0 << 8 | Int($1) }
                    position += first & 0x7F
                }
                guard length <= octets.count - position else { return nil }
                position += length
            }
        } while open > 0
        return position
    }
}
