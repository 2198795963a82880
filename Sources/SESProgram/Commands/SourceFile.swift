import Composition
import Octets
import Spool

/// A file given to `ses explain`, read as the spool would read it.
struct SourceFile {
    let block: OctetString?
    let raw: OctetString
    let isBare: Bool

    init(octets: OctetString, name: String) {
        isBare = name.lowercased().hasSuffix(".eml")
        let stated = isBare ? nil : SpoolName(parsing: name)?.facts.envelopeOctets
        if let stated, stated <= octets.count {
            block = octets.slice(0..<stated)
            raw = octets.slice(stated..<octets.count)
        } else {
            block = nil
            raw = octets
        }
    }
}
