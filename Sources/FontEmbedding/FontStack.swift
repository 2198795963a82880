import Synchronization

/// A font, and others of this machine that replace it for characters that it has no glyph for.
public final class FontStack: Sendable {
    private struct State {
        var faces: [FontFace]
        var entries: [FontCatalogue.Entry: Int] = [:]
        /// The face for each character that the first one lacks; nil when no font has it.
        var known: [Unicode.Scalar: Int?] = [:]
    }

    private let state: Mutex<State>
    private let catalogue = FontCatalogue()
    /// The font that is taken as far as it goes.
    public let first: FontFace

    /// The largest number of fonts that are tried for one character, and of fonts in all.
    private static let maximumTried = 8
    private static let maximumFaces = 64

    public init(_ first: FontFace) {
        self.first = first
        state = Mutex(State(faces: [first]))
    }

    /// The font of this number, as ``SetGlyph/font`` has it.
    public func face(_ number: Int) -> FontFace { state.withLock { $0.faces[number] } }

    /// Those of `text` that no installed font has, each once, in their order.
    public func missing(in text: String) -> [Unicode.Scalar] {
        var missing: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars where !Self.isInvisible(scalar) && face(for: scalar) == nil {
            if !missing.contains(scalar) { missing.append(scalar) }
        }
        return missing
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        return properties.isWhitespace || properties.isDefaultIgnorableCodePoint
            || properties.generalCategory == .control
    }

    /// The number of the first font that has the character; nil when none has.
    private func face(for scalar: Unicode.Scalar) -> Int? {
        if first.hasGlyph(scalar) { return 0 }
        if let known = state.withLock({ $0.known[scalar] }) { return known }
        var found: Int?
        for entry in catalogue.fonts(for: scalar).prefix(Self.maximumTried) where found == nil {
            found = number(of: entry, for: scalar)
        }
        state.withLock { $0.known[scalar] = .some(found) }
        return found
    }

    private func number(of entry: FontCatalogue.Entry, for scalar: Unicode.Scalar) -> Int? {
        if let number = state.withLock({ $0.entries[entry] }) {
            return face(number).hasGlyph(scalar) ? number : nil
        }
        let face: FontFace
        // One that cannot be used is passed over: another may do, and a character without any is shown as missing.
        do throws(FontError) { face = try FontFace(path: entry.path, index: entry.index) } catch { return nil }
        guard face.allowsEmbedding, face.hasGlyph(scalar) else { return nil }
        return state.withLock { state in
            if let number = state.entries[entry] { return number }
            guard state.faces.count < Self.maximumFaces else { return nil }
            state.faces.append(face)
            state.entries[entry] = state.faces.count - 1
            return state.faces.count - 1
        }
    }

    /// Sets one piece of text as ``FontFace/set(_:)`` does, in as many fonts as it needs.
    public func set(_ text: String) -> SetText {
        var runs: [(font: Int, text: String)] = []
        for character in text {
            // A character with its marks is set in one font: the one that has its base.
            let base = character.unicodeScalars.first { !Self.isInvisible($0) }
            let font = base.flatMap { face(for: $0) } ?? runs.last?.font ?? 0
            if runs.last?.font == font {
                runs[runs.count - 1].text.append(character)
            } else {
                runs.append((font, String(character)))
            }
        }
        guard runs.count > 1 else {
            return runs.first.map { face($0.font).set($0.text, font: $0.font) } ?? first.set("")
        }
        let set = runs.map { face($0.font).set($0.text, font: $0.font) }
        let isRightToLeft = set.first { !$0.glyphs.isEmpty }?.isRightToLeft ?? false
        let ordered = isRightToLeft ? set.reversed() : set
        return SetText(glyphs: ordered.flatMap(\.glyphs), isRightToLeft: isRightToLeft)
    }
}
