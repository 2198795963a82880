/// Reads a line of the journal without making objects of it: one flat JSON object of texts, numbers and lists of texts.
enum LineScan {
    /// A field's name of at most eight octets, packed.
    struct Key: Equatable, Sendable, ExpressibleByStringLiteral {
        let packed: UInt64

        init(stringLiteral name: StaticString) {
            packed = name.withUTF8Buffer { Self.pack(UnsafeRawBufferPointer($0)) }
        }

        init(_ octets: UnsafeRawBufferPointer) { packed = Self.pack(octets) }

        private static func pack(_ octets: UnsafeRawBufferPointer) -> UInt64 {
            // A longer name is none of ours.
            guard octets.count <= 8 else { return .max }
            var packed: UInt64 = 0
            for octet in octets { packed = packed << 8 | UInt64(octet) }
            return packed
        }
    }

    enum Value {
        /// The octets between the quotes, and whether some are escaped.
        case text(UnsafeRawBufferPointer, isEscaped: Bool)
        case number(Int)

        var string: String? {
            guard case .text(let octets, let isEscaped) = self else { return nil }
            return isEscaped ? unescaped(octets) : String(decoding: octets, as: UTF8.self)
        }

        var int: Int? {
            guard case .number(let number) = self else { return nil }
            return number
        }
    }

    /// Calls `body` with each field; with each text of a list in turn. Of lists in a list only the first text counts.
    /// - Returns: False if it is no such line, as one that a crash cut short.
    static func fields(of line: UnsafeRawBufferPointer, _ body: (Key, Value) -> Void) -> Bool {
        var scan = Scan(line: line)
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        if scan.consume(UInt8(ascii: "}")) { return scan.isAtEnd }
        repeat {
            guard case .text(let name, _)? = scan.text(), scan.consume(UInt8(ascii: ":")) else { return false }
            guard scan.value(Key(name), depth: 0, body) else { return false }
        } while scan.consume(UInt8(ascii: ","))
        return scan.consume(UInt8(ascii: "}")) && scan.isAtEnd
    }

    private struct Scan {
        let line: UnsafeRawBufferPointer
        var place = 0

        var isAtEnd: Bool { place == line.count }

        mutating func consume(_ octet: UInt8) -> Bool {
            guard place < line.count, line[place] == octet else { return false }
            place += 1
            return true
        }

        mutating func text() -> Value? {
            guard consume(UInt8(ascii: "\"")) else { return nil }
            let begin = place
            var isEscaped = false
            while place < line.count {
                let octet = line[place]
                if octet == UInt8(ascii: "\"") {
                    let found = UnsafeRawBufferPointer(rebasing: line[begin..<place])
                    place += 1
                    return .text(found, isEscaped: isEscaped)
                }
                if octet == UInt8(ascii: "\\") {
                    isEscaped = true
                    place += 1
                }
                place += 1
            }
            return nil
        }

        private mutating func number() -> Value? {
            let isNegative = consume(UInt8(ascii: "-"))
            var number = 0
            let begin = place
            while place < line.count, (0x30...0x39).contains(line[place]), place - begin < 18 {
                number = number * 10 + Int(line[place] - 0x30)
                place += 1
            }
            return place > begin ? .number(isNegative ? -number : number) : nil
        }

        mutating func value(_ key: Key, depth: Int, _ body: (Key, Value) -> Void) -> Bool {
            guard place < line.count else { return false }
            switch line[place] {
            case UInt8(ascii: "\""):
                guard let text = text() else { return false }
                body(key, text)
                return true
            case UInt8(ascii: "["):
                return depth < 2 && list(key, depth: depth + 1, body)
            default:
                guard let number = number() else { return false }
                body(key, number)
                return true
            }
        }

        private mutating func list(_ key: Key, depth: Int, _ body: (Key, Value) -> Void) -> Bool {
            place += 1
            if consume(UInt8(ascii: "]")) { return true }
            var count = 0
            repeat {
                let isWanted = depth == 1 || count == 0
                guard value(key, depth: depth, { if isWanted { body($0, $1) } }) else { return false }
                count += 1
            } while consume(UInt8(ascii: ","))
            return consume(UInt8(ascii: "]"))
        }
    }

    /// The text with its escapes resolved (RFC 8259 §7); what is no escape stays.
    private static func unescaped(_ octets: UnsafeRawBufferPointer) -> String {
        var units: [UInt16] = []
        let scalars = Array(String(decoding: octets, as: UTF8.self).utf16)
        let simple: [UInt16: UInt16] = [0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09]
        var place = 0
        while place < scalars.count {
            guard scalars[place] == 0x5C, place + 1 < scalars.count else {
                units.append(scalars[place])
                place += 1
                continue
            }
            let next = scalars[place + 1]
            if next == 0x75, place + 5 < scalars.count,
                let unit = UInt16(String(decoding: scalars[(place + 2)..<(place + 6)], as: UTF16.self), radix: 16)
            {
                units.append(unit)
                place += 6
            } else {
                units.append(simple[next] ?? next)
                place += 2
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
