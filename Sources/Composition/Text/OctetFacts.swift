import Octets

extension OctetSource {
    /// True if the octets are valid UTF-8, found in one pass without holding them.
    var isUTF8: Bool {
        var validation = UTF8Validation()
        var isValid = true
        forEachChunk { chunk in
            if isValid { isValid = validation.validate(chunk) }
        }
        return isValid && validation.isAtCharacterEnd
    }
}

/// Follows the octets of UTF-8 text (RFC 3629 §4).
private struct UTF8Validation {
    /// Continuation octets that are still due, and what the next one may be.
    private var due = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    var isAtCharacterEnd: Bool { due == 0 }

    /// - Returns: false at the first octet that cannot stand where it stands.
    mutating func validate(_ chunk: UnsafeRawBufferPointer) -> Bool {
        for octet in chunk {
            if due > 0 {
                guard allowed.contains(octet) else { return false }
                due -= 1
                allowed = 0x80...0xBF
                continue
            }
            switch octet {
            case 0..<0x80: continue
            case 0xC2...0xDF: due = 1
            case 0xE0: (due, allowed) = (2, 0xA0...0xBF)
            case 0xED: (due, allowed) = (2, 0x80...0x9F)
            case 0xE1...0xEF: due = 2
            case 0xF0: (due, allowed) = (3, 0x90...0xBF)
            case 0xF1...0xF3: due = 3
            case 0xF4: (due, allowed) = (3, 0x80...0x8F)
            default: return false
            }
        }
        return true
    }
}
