import InternetMessage
import Octets

/// The textual encoding of CMS (RFC 7468 §8, §9), in which some tools write signature files.
enum CMSArmour {
    /// Octets of an armoured file that are taken off their armour.
    private static let most = 16 << 20

    /// The object itself; `octets` as they are when they are not armoured.
    static func removed(from octets: OctetString) -> OctetString {
        guard octets.starts(with: "-----BEGIN ".utf8), octets.count <= most,
            let start = octets.firstIndex(of: 0x0A)
        else { return octets }
        let text = octets.slice(start + 1..<octets.count)
        let end = text.firstIndex(of: UInt8(ascii: "-")) ?? text.count
        return DecodedBody(text.slice(0..<end), encoding: .base64).collected()
    }
}
