import Glibc
import TestSupport

/// The possible contents of a disk after the power failed, by two models of a file system.
///
/// Both take rename as atomic, which the spool's file systems promise.
/// - Ordered: changes of names become durable in their order, and each fsync makes all before it durable, as a journal
///   does. Octets that were not synced may be missing at the end of a file, or be zeros.
/// - Weak: a change of names is durable only when the directory that it led to was synced. Any other may be there or
///   not, in any order, but none without those that it needs: the one that made its object and directory, and earlier
///   ones of the same name or object.
struct PowerLossModel {
    enum Order: String, Sendable {
        case ordered, weak
        /// Everything is there: no power loss at all.
        case whole
    }

    private let trace: ChangeTrace
    /// By step, the earlier steps that it needs.
    private let needs: [[Int]]

    init(_ trace: ChangeTrace) {
        self.trace = trace
        var lastOfObject: [Int: Int] = [:]
        var lastOfSlot: [ChangeTrace.Slot: Int] = [:]
        var makingOfObject: [Int: Int] = [:]
        var allOfDirectory: [Int: [Int]] = [:]
        needs = trace.steps.enumerated().map { index, step in
            guard case .name(let naming) = step.change else { return [] }
            var needed = [lastOfObject[naming.object]].compactMap(\.self)
            for slot in naming.slots {
                needed += [lastOfSlot[slot], makingOfObject[slot.directory]].compactMap(\.self)
                lastOfSlot[slot] = index
                allOfDirectory[slot.directory, default: []].append(index)
            }
            if naming.kind == .removeDirectory { needed += allOfDirectory[naming.object] ?? [] }
            if naming.kind == .make { makingOfObject[naming.object] = index }
            lastOfObject[naming.object] = index
            return needed
        }
    }

    /// The tree after a power loss just behind step `last`.
    func image(after last: Int, _ order: Order, seed: UInt64) -> FileTree {
        var numbers = SeededNumbers(seed: seed)
        let kept = kept(until: last, order, &numbers)
        var tree = trace.before
        tree.objects = trace.objects
        // The names of those that stood before.
        for number in trace.before.objects.indices { tree.objects[number] = trace.before.objects[number] }
        for index in 0...last where kept.contains(index) {
            guard case .name(let naming) = trace.steps[index].change else { continue }
            if let from = naming.from { tree.set(from.name, of: from.directory, to: nil) }
            if let to = naming.to { tree.set(to.name, of: to.directory, to: naming.object) }
        }
        setContents(of: &tree, after: last, isWhole: order == .whole, &numbers)
        return tree
    }

    private func kept(until last: Int, _ order: Order, _ numbers: inout SeededNumbers) -> Set<Int> {
        switch order {
        case .ordered: inOrder(last, &numbers)
        case .weak: anyhow(last, &numbers)
        case .whole: Set(0...last)
        }
    }

    /// Each change of a name, with a plus if it is in the image, and each fsync: a line for each.
    func account(after last: Int, _ order: Order, seed: UInt64) -> String {
        var numbers = SeededNumbers(seed: seed)
        let kept = kept(until: last, order, &numbers)
        return trace.steps[...last].enumerated().compactMap { index, step in
            guard !step.isProbe else { return nil }
            switch step.change {
            case .name(let naming):
                let places = naming.slots.map { "\($0.directory)/\($0.name)" }.joined(separator: " -> ")
                return "\(index) \(kept.contains(index) ? "+" : "-") \(naming.kind) \(naming.object) \(places)"
            case .sync(let object): return "\(index) sync \(object)"
            case .write, .resize, .mode: return nil
            }
        }.joined(separator: "\n")
    }

    private func inOrder(_ last: Int, _ numbers: inout SeededNumbers) -> Set<Int> {
        let synced = trace.steps[...last].lastIndex { step in
            if case .sync = step.change { true } else { false }
        }
        return Set(0...Int.random(in: (synced ?? 0)...last, using: &numbers))
    }

    private func anyhow(_ last: Int, _ numbers: inout SeededNumbers) -> Set<Int> {
        let chance: Double = [0.0, 0.1, 0.5, 0.9].randomElement(using: &numbers) ?? 0
        var kept: Set<Int> = []
        var syncedLater: Set<Int> = []
        for index in (0...last).reversed() {
            switch trace.steps[index].change {
            case .sync(let object): syncedLater.insert(object)
            case .name(let naming):
                if syncedLater.contains(naming.directory) || Double.random(in: 0..<1, using: &numbers) < chance {
                    kept.insert(index)
                }
            case .write, .resize, .mode: break
            }
        }
        var rest = Array(kept)
        while let index = rest.popLast() {
            for needed in needs[index] where kept.insert(needed).inserted { rest.append(needed) }
        }
        return kept
    }

    /// Each file as far as it was synced, and some of what was written since.
    private func setContents(
        of tree: inout FileTree, after last: Int, isWhole: Bool, _ numbers: inout SeededNumbers
    ) {
        var changes: [Int: [Int]] = [:]
        var synced: [Int: Int] = [:]
        for index in 0...last {
            switch trace.steps[index].change {
            case .write(let object, _, _), .resize(let object, _): changes[object, default: []].append(index)
            case .mode(let object, let mode): tree.objects[object].mode = mode
            case .sync(let object): synced[object] = index
            case .name: break
            }
        }
        for object in changes.keys.sorted() {
            guard case .file(var octets) = tree.objects[object].content, let all = changes[object] else { continue }
            let certain = all.filter { isWhole || $0 < synced[object] ?? -1 }
            let open = all.dropFirst(certain.count)
            let more = open.prefix(Int.random(in: 0...open.count, using: &numbers))
            for index in certain + more { apply(trace.steps[index].change, to: &octets) }
            if more.count < open.count, Bool.random(using: &numbers) {
                tear(trace.steps[open[open.startIndex + more.count]].change, into: &octets, &numbers)
            }
            tree.objects[object].content = .file(octets)
        }
    }

    private func apply(_ change: ChangeTrace.Change, to octets: inout [UInt8]) {
        switch change {
        case .write(_, let offset, let new):
            if octets.count < offset + new.count {
                octets += [UInt8](repeating: 0, count: offset + new.count - octets.count)
            }
            octets.replaceSubrange(offset..<(offset + new.count), with: new)
        case .resize(_, let size):
            octets = size < octets.count ? Array(octets[..<size]) : octets
            octets += [UInt8](repeating: 0, count: size - octets.count)
        case .name, .mode, .sync: break
        }
    }

    /// A write of which a part is on the disk, or only the length.
    private func tear(_ change: ChangeTrace.Change, into octets: inout [UInt8], _ numbers: inout SeededNumbers) {
        guard case .write(let object, let offset, let new) = change, !new.isEmpty else { return }
        let part = Array(new[..<Int.random(in: 0..<new.count, using: &numbers)])
        let isLengthOnly = Bool.random(using: &numbers)
        let shown = isLengthOnly ? part + [UInt8](repeating: 0, count: new.count - part.count) : part
        apply(.write(object: object, offset: offset, octets: shown), to: &octets)
    }
}
