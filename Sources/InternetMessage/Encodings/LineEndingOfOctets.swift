public import Octets

extension LineEnding {
    /// The convention of `octets`.
    public static func of(_ octets: OctetString) -> LineEnding {
        octets.withUnsafeBytes { octets in
            var hasPairs = false
            var hasBareLineFeeds = false
            var index = 0
            while let found = octets.firstLineEndOctet(from: index) {
                if octets[found] == 0x0A {
                    hasBareLineFeeds = true
                    index = found + 1
                } else if found + 1 < octets.count, octets[found + 1] == 0x0A {
                    hasPairs = true
                    index = found + 2
                } else {
                    return .mixed
                }
                if hasPairs && hasBareLineFeeds { return .mixed }
            }
            return hasBareLineFeeds ? .lf : .crlf
        }
    }
}

extension OctetString {
    /// The octets with every LF that lacks its CR made CRLF, and nothing else repaired; the same octets if there is
    /// none.
    public func withCRLFLineEnds() -> OctetString {
        withUnsafeBytes { octets in
            var missing = 0
            var search = 0
            while let lineFeed = octets.firstOffset(of: 0x0A, from: search) {
                if lineFeed == 0 || octets[lineFeed - 1] != 0x0D { missing += 1 }
                search = lineFeed + 1
            }
            if missing == 0 { return self }
            return OctetString(count: octets.count + missing) { target in
                var copied = 0
                var filled = 0
                var search = 0
                while let lineFeed = octets.firstOffset(of: 0x0A, from: search) {
                    search = lineFeed + 1
                    if lineFeed > 0 && octets[lineFeed - 1] == 0x0D { continue }
                    let run = octets.part(copied..<lineFeed)
                    UnsafeMutableRawBufferPointer(rebasing: target[filled...]).copyMemory(from: run)
                    filled += run.count
                    target[filled] = 0x0D
                    filled += 1
                    copied = lineFeed
                }
                let rest = octets.part(copied..<octets.count)
                UnsafeMutableRawBufferPointer(rebasing: target[filled...]).copyMemory(from: rest)
            }
        }
    }
}
