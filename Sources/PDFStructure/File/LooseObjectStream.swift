package import Octets

/// Looks through an object stream that was met in passing, without the document around it.
package enum LooseObjectStream {
    /// Calls `visit` with each dictionary that is an object there, until it returns true.
    ///
    /// What is broken, encrypted, larger than `limit` or compressed in an unusual way ends it.
    /// - Parameters:
    ///   - data: The octets between `stream` and `endstream`; compressed (zlib) or plain.
    ///   - limit: The most octets to decompress; what was used is taken off.
    /// - Returns: True if `visit` returned true; nil if not all could be read.
    package static func contains(_ data: OctetString, limit: inout Int, _ visit: (PDFDictionary) -> Bool) -> Bool? {
        do throws(PDFSyntaxError) {
            let octets = OctetString(try Inflation.zlib(data, limit: limit))
            limit -= octets.count
            return try search(octets, visit)
        } catch {
            // Data that decompress to too much are left alone; uncompressed data are read directly.
            if error.kind == .tooComplex { limit = 0 }
            return try? search(data, visit)
        }
    }

    /// The pairs of numbers at the front are values too, and none of interest.
    private static func search(
        _ octets: OctetString, _ visit: (PDFDictionary) -> Bool
    ) throws(PDFSyntaxError) -> Bool {
        try octets.withUnsafeBytes { (raw) throws(PDFSyntaxError) in
            var reader = PDFValueReader(octets, raw, at: 0)
            while true {
                let token = try reader.lexer.next()
                if token == .end { return false }
                if case .dictionary(let dictionary) = try reader.value(token), visit(dictionary) { return true }
            }
        }
    }
}
