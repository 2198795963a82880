/// The parameters of one field as they stand, before continuations are joined (RFC 2231).
struct ParameterSections {
    private struct Section: Equatable {
        let value: [UInt8]
        let isExtended: Bool
    }

    private struct Named {
        /// `name=`
        var plain: Parameter?
        /// `name*=`
        var extended: Parameter?
        /// `name*0=`, `name*1*=`, and so on.
        var continuations: [Int: Section] = [:]
        var isRepeated = false
    }

    /// The one that counts of several with the same name.
    private let several: ReadingHabits.Several
    private let extended: ReadingHabits.Extended
    private var names: [String] = []
    private var named: [String: Named] = [:]

    init(_ habits: ReadingHabits) {
        several = habits.parameters
        extended = habits.extended
    }

    /// Takes a parameter; `name` is lower case and may end with `*`, `*N` or `*N*`.
    mutating func add(name: String, value: [UInt8]) {
        let pieces = extended == .unknown ? [name[...]] : name.split(separator: "*", omittingEmptySubsequences: false)
        let isExtended = pieces.count > 1 && pieces[pieces.count - 1].isEmpty
        let number = pieces.count > 1 ? Self.number(pieces[1]) : nil
        // `name*N`, `name*N*` or `name*`; any other name with an asterisk is a name of its own.
        let isSection = number != nil && (pieces.count == 2 || (pieces.count == 3 && isExtended))
        let base = isSection || (pieces.count == 2 && isExtended) ? String(pieces[0]) : name
        if named[base] == nil { names.append(base) }
        var forms = named[base] ?? Named()
        if base == name {
            keep(Parameter(name: base, value: value), &forms.plain, &forms.isRepeated)
        } else if isSection, let number {
            keep(Section(value: value, isExtended: isExtended), &forms.continuations[number], &forms.isRepeated)
        } else {
            let (charset, octets) = Self.extended(value)
            let parameter = Parameter(name: base, value: Self.percentDecoded(octets), charset: charset)
            keep(parameter, &forms.extended, &forms.isRepeated)
        }
        named[base] = forms
    }

    /// Equal ones can be read in one way only.
    private func keep<Form: Equatable>(_ new: Form, _ kept: inout Form?, _ isRepeated: inout Bool) {
        if let former = kept, former != new { isRepeated = true }
        if kept == nil || several == .last { kept = new }
    }

    /// The parameters in order of their first section, those that are shadowed by another form, and the names of those
    /// that occur more than once with different values.
    ///
    /// A plain parameter beside an extended one is the fallback for old readers: the extended one counts.
    func joined() -> (parameters: [Parameter], shadowed: [Parameter], repeated: [String]) {
        var parameters: [Parameter] = []
        var shadowed: [Parameter] = []
        for name in names {
            guard let forms = named[name] else { continue }
            var all = [forms.extended, Self.joined(forms.continuations, name), forms.plain].compactMap(\.self)
            if extended == .fallback { all.reverse() }
            parameters += all.prefix(1)
            shadowed += all.dropFirst()
        }
        return (parameters, shadowed, names.filter { named[$0]?.isRepeated == true })
    }

    /// Joins sections from 0 up to the first that is missing.
    private static func joined(_ sections: [Int: Section], _ name: String) -> Parameter? {
        guard let first = sections[0] else { return nil }
        var value: [UInt8] = []
        var charset: String?
        if first.isExtended {
            let octets: ArraySlice<UInt8>
            (charset, octets) = extended(first.value)
            value = percentDecoded(octets)
        } else {
            value = first.value
        }
        var number = 1
        while let section = sections[number] {
            value.append(contentsOf: section.isExtended ? percentDecoded(section.value[...]) : section.value)
            number += 1
        }
        return Parameter(name: name, value: value, charset: charset)
    }

    /// A section's number: up to four digits, no sign.
    private static func number(_ digits: Substring) -> Int? {
        guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }

    /// `charset'language'octets` (RFC 2231 §4); without the quotes, which are seen to be missing, all are octets.
    private static func extended(_ value: [UInt8]) -> (charset: String?, octets: ArraySlice<UInt8>) {
        guard let first = value.firstIndex(of: 0x27),
            let second = value[(first + 1)...].firstIndex(of: 0x27)
        else { return (nil, value[...]) }
        let charset = String(decoding: value[..<first], as: UTF8.self)
        return (charset.isEmpty ? nil : charset.asciiLowercased, value[(second + 1)...])
    }

    /// Octets for `%` and two hexadecimal digits; any other `%` stays.
    private static func percentDecoded(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(octets.count)
        var index = octets.startIndex
        while index < octets.endIndex {
            if octets[index] == 0x25, index + 2 < octets.endIndex, let high = octets[index + 1].hexadecimalValue,
                let low = octets[index + 2].hexadecimalValue
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(octets[index])
                index += 1
            }
        }
        return decoded
    }
}
