import Octets
import PDFStructure

/// Gathers the data of one object stream and looks for signature fields in it (ISO 32000-1 §7.5.7).
struct ObjectStreamCapture {
    /// Writers put some hundred objects into one, a few ten KB. A larger one is left alone.
    private static let most = 4 << 20
    private static let end = Array("endstream".utf8)

    private var data: [UInt8] = []

    /// Takes the next octet.
    /// - Returns: The gathered data, at its end; nil before it.
    mutating func append(_ octet: UInt8) -> OctetString? {
        data.append(octet)
        if octet == UInt8(ascii: "m"), data.count >= Self.end.count, data.suffix(Self.end.count).elementsEqual(Self.end)
        {
            return OctetString(data.dropLast(Self.end.count))
        }
        return data.count > Self.most ? OctetString() : nil
    }

    /// Returns true if a signature field in the stream has a value, or a dictionary in it has a signature's keys.
    /// - Parameter limit: The number of octets that may still be decompressed.
    /// - Returns: nil when not all of it could be read.
    static func holdsSignature(_ data: OctetString, limit: inout Int) -> Bool? {
        LooseObjectStream.contains(data, limit: &limit) { dictionary in
            if dictionary["ByteRange"] != .null, dictionary["Contents"] != .null { return true }
            guard dictionary["FT"].name == "Sig" else { return false }
            return dictionary["V"].reference != nil || dictionary["V"].dictionary != nil
        }
    }
}
