package import Logging
import Monitoring
package import Spool
import Synchronization

/// The claims of a program: admits what waits, and deals with everything that does not become a transaction.
package final class ClaimDesk: Sendable {
    package let gate: IntakeGate
    private let spool: Spool
    private let board: HealthBoard
    private let log: Logger
    private let leftBehind = LeftBehind()
    private let handled = Atomic(0)

    package init(spool: Spool, gate: IntakeGate, board: HealthBoard, log: Logger) {
        self.spool = spool
        self.gate = gate
        self.board = board
        self.log = log
    }

    /// The number of entries that this process has brought to an end.
    package var handledCount: Int { handled.load(ordering: .relaxed) }
    package func countHandled() { handled.add(1, ordering: .relaxed) }

    // MARK: - One claim

    /// Returns true if what waits under `key`, its place and name, may be claimed now.
    package func admits(_ key: String) -> Bool { !gate.mustWait(key) && gate.admit() }

    /// Returns the transaction if the claim succeeded. Otherwise the reason is where it belongs: log and status.
    package func transaction(of result: ClaimResult, _ key: String) -> Transaction? {
        switch result {
        case .taken:
            forget(key)
        case .left(let reason):
            gate.postpone(key)
            leftBehind.note(key, reason)
            tellLeftBehind()
        case .corrupt(let reason):
            countHandled()
            forget(key)
            // The command that asks for a status itself shows that there is a file in this folder.
            let folder = spool.territory.unfitFolder.rawValue
            board.note("moved to \(folder): \(reason)")
            log.error("moved to \(folder)", metadata: ["file": "\(key)", "reason": "\(reason)"])
        case .claimed(let transaction):
            forget(key)
            return transaction
        }
        return nil
    }

    private func forget(_ key: String) {
        gate.forget(key)
        guard leftBehind.contains(key) else { return }
        leftBehind.remove(key)
        tellLeftBehind()
    }

    private func tellLeftBehind() {
        if let reason = leftBehind.reason {
            let slash = reason.name.firstIndex(of: "/") ?? reason.name.startIndex
            let isOfMaildir = reason.name[..<slash] != "deferred"
            let path = reason.name[..<slash] + (isOfMaildir ? "/new" : "") + reason.name[slash...]
            board.raise("left", .unreadableFile, reason.text, path: isOfMaildir ? String(path) : "relay/" + path)
        } else {
            board.lift("left")
        }
    }

    // MARK: - Listings

    /// Lists a folder to its end, as long as the gate lets messages be claimed.
    /// - Parameters:
    ///   - judgeForeign: As for `Spool.forEachWaiting`.
    ///   - each: Gets a candidate and its key; returns false to end the listing.
    /// - Returns: True if the listing was not ended early.
    package func list(
        _ queue: Queue, judgeForeign: (Candidate) throws(SpoolError) -> String? = Spool.leaveForeign,
        _ each: (Candidate, _ key: String) throws(SpoolError) -> Bool
    ) -> Bool {
        var isWhole = true
        return list(queue.rawValue) { (seen) throws(SpoolError) in
            let left = try spool.forEachWaiting(in: queue, judgeForeign: judgeForeign) {
                (candidate) throws(SpoolError) in
                guard gate.mayClaim, !gate.isStopping else {
                    isWhole = false
                    return false
                }
                if leftBehind.contains(candidate.key) { seen.insert(candidate.key) }
                isWhole = try each(candidate, candidate.key)
                return isWhole
            }
            return (left, isWhole)
        }
    }

    /// Reports the result of a listing of `place`: what lies there and cannot be a message, and a fault.
    /// - Parameter body: Lists it, adds the keys that it has seen, and returns what lies there and true if the listing
    ///   came to its end.
    /// - Returns: True if the listing came to its end.
    package func list(
        _ place: String,
        _ body: (_ seen: inout Set<String>) throws(SpoolError) -> (left: [LeftInPlace], isWhole: Bool)
    ) -> Bool {
        var seen: Set<String> = []
        do {
            let (left, isWhole) = try body(&seen)
            report(left, in: place)
            board.lift("listing \(place)")
            // A file that could not be taken and is gone is no longer a reason.
            if isWhole {
                leftBehind.keep(seen, of: place + "/")
                tellLeftBehind()
            }
            return isWhole
        } catch {
            gate.meet(error, about: "listing \(place)")
            board.raise("listing \(place)", .machineFault, error.description)
            return false
        }
    }

    /// Returns true if something lies in `place` that cannot be taken from there.
    package func isLeft(in place: String) -> Bool { board.isRaised("left in \(place)") }

    private func report(_ left: [LeftInPlace], in place: String) {
        guard let first = left.first else { return board.lift("left in \(place)") }
        let more = left.count > 1 ? " (and \(left.count - 1) more)" : ""
        board.raise(
            "left in \(place)", first.isForeign ? .foreignName : .unreadableFile,
            "\(first.path) was left where it is: \(first.reason)\(more)", path: first.path)
    }
}

extension Candidate {
    /// Its place and name.
    package var key: String { "\(queue.rawValue)/\(name)" }
}
