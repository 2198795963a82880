import Octets

/// The faults that keep octets from surviving transport unchanged (RFC 8551 §3.1.2, §3.1.3; RFC 5321 §4.5.3.1.6; RFC
/// 5322 §2.1.1).
struct TransportFaults: OptionSet, Hashable {
    let rawValue: Int

    /// Octets above 127.
    static let eightBit = TransportFaults(rawValue: 1)
    /// NUL.
    static let null = TransportFaults(rawValue: 2)
    /// A line above 998 octets.
    static let longLine = TransportFaults(rawValue: 4)
    /// A line that ends with a blank, which mail gateways take away.
    static let trailingBlank = TransportFaults(rawValue: 8)
    /// A line that starts with `From `, which mbox deliverers change to `>From `.
    static let fromLine = TransportFaults(rawValue: 16)
    /// A CR or LF on its own.
    static let bareLineEnd = TransportFaults(rawValue: 32)

    /// Looks through `octets`, which begin a line, once.
    static func of(_ octets: OctetString) -> TransportFaults {
        octets.withUnsafeBytes { buffer in
            var faults: TransportFaults = []
            var start = 0
            while start < buffer.count {
                var end = start
                var next = buffer.count
                // A CR or LF that stands alone does not end the line.
                while true {
                    guard let found = buffer.firstLineEndOctet(from: end) else {
                        end = buffer.count
                        break
                    }
                    if buffer[found] == 0x0D, found + 1 < buffer.count, buffer[found + 1] == 0x0A {
                        end = found
                        next = found + 2
                        break
                    }
                    faults.insert(.bareLineEnd)
                    end = found + 1
                }
                faults.formUnion(ofLine(buffer.part(start..<end)))
                start = next
            }
            return faults
        }
    }

    private static func ofLine(_ line: UnsafeRawBufferPointer) -> TransportFaults {
        guard let base = line.baseAddress, !line.isEmpty else { return [] }
        var faults: TransportFaults = line.count > 998 ? .longLine : []
        let last = line[line.count - 1]
        if last == 0x20 || last == 0x09 { faults.insert(.trailingBlank) }
        if line.count >= 5, line[0] == 0x46, line[1] == 0x72, line[2] == 0x6F, line[3] == 0x6D, line[4] == 0x20 {
            faults.insert(.fromLine)
        }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits: UInt64 = 0x8080_8080_8080_8080
        var index = 0
        var seen: UInt64 = 0
        while index &+ 8 <= line.count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            seen |= word & highBits
            // Without high bits this finds a zero octet exactly; with them a false alarm is harmless.
            if (word &- ones) & ~word & highBits != 0 { faults.insert(.null) }
            index &+= 8
        }
        while index < line.count {
            if line[index] >= 0x80 { seen = highBits }
            if line[index] == 0 { faults.insert(.null) }
            index &+= 1
        }
        if seen != 0 { faults.insert(.eightBit) }
        return faults
    }

    /// For people, such as `8-bit octets and a line above 998 octets`.
    var words: String {
        let names: [(TransportFaults, String)] = [
            (.eightBit, "8-bit octets"), (.null, "a NUL"), (.longLine, "a line above 998 octets"),
            (.trailingBlank, "a blank at the end of a line"), (.fromLine, "a line that starts with From"),
            (.bareLineEnd, "a CR or LF on its own"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}
