import InternetMessage
import Octets

/// The header of an entity with some fields rewritten or left out; all its other octets stay unchanged.
struct HeaderRevision {
    typealias Replacement = (name: String, field: String)

    /// Whole fields with their CRLF by name, lower case. Each takes the place of the first field of its name, or stands
    /// at the end.
    var replacements: [Replacement] = []
    /// The names, lower case, of fields that are left out.
    var dropped: Set<String> = []
    /// Selects the fields that are revised. Everything else in the header (other fields, and lines that are not fields)
    /// is left out. With nil all of the header stays.
    var selection: ((HeaderField) -> Bool)?

    /// - Returns: The header without the empty line that ends it; it ends with a line end, if there is anything.
    func applied(to entity: Entity) -> OctetRope {
        var rope = OctetRope()
        var waiting = replacements
        var written: Set<String> = []
        var position = entity.range.lowerBound
        for field in entity.header.fields {
            if selection == nil { rope.append(entity.message.slice(position..<field.range.lowerBound)) }
            position = field.range.upperBound
            guard selection.map({ $0(field) }) ?? true else { continue }
            let name = field.name.asciiLowercased
            if let index = waiting.firstIndex(where: { $0.name == name }) {
                rope.append(waiting.remove(at: index).field)
                written.insert(name)
            } else if !written.contains(name) && !dropped.contains(name) {
                // Before a delimiter the last field lacks the line end that a field has.
                rope.append(field.completed)
            }
        }
        let end = entity.header.range.upperBound
        if selection == nil, position < end { rope.append(entity.message.slice(position..<end)) }
        for replacement in waiting { rope.append(replacement.field) }
        return rope
    }
}
