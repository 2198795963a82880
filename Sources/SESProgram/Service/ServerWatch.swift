import DSSClient
import Logging
import ProgramLife
import SESConfiguration

/// Watches the addresses of the signing server: tells in the log when one stops or begins to answer, and asks those
/// that are silent whether they are back, so that a status is right soon.
struct ServerWatch: Sendable {
    let configuration: InForce<LiveConfiguration>
    let log: Logger
    /// Called when an address has changed.
    let changed: @Sendable () -> Void

    private static let interval = Duration.seconds(1)
    /// The time that silent addresses have for an answer, all together.
    private static let patience = Duration.seconds(3)

    /// Runs until it is cancelled.
    func run() async {
        var known: [String: Bool] = [:]
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let client = configuration.current.client
            await look(for: client)
            var present: [String: Bool] = [:]
            for circuit in client.circuits() {
                let isAnswering = circuit.state == .answering
                present[circuit.address] = isAnswering
                guard known[circuit.address, default: true] != isAnswering else { continue }
                known[circuit.address] = isAnswering
                tell(circuit)
                changed()
            }
            known = present
        }
    }

    private func look(for client: DSSClient) async {
        guard client.circuits().contains(where: { $0.state == .notAnswering }) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await client.lookForSilent() }
            group.addTask { _ = try? await Task.sleep(for: Self.patience) }
            await group.next()
            group.cancelAll()
        }
    }

    private func tell(_ circuit: CircuitSnapshot) {
        if circuit.state == .answering {
            log.notice("server answers again", metadata: ["server": "\(circuit.address)"])
        } else {
            log.warning(
                "server not answering",
                metadata: ["server": "\(circuit.address)", "reason": "\(circuit.reason ?? "no answer")"])
        }
    }
}

extension DSSClient {
    /// The states of the addresses, for the published state.
    var states: [ServerState] {
        circuits().map { circuit in
            var state = ServerState(
                circuit.service == .signing ? .signing : .verifying, circuit.address,
                isAnswering: circuit.state == .answering, since: circuit.since)
            state.isUsed = circuit.duration != nil
            state.reason = circuit.reason
            state.nextTry = circuit.nextTry
            state.milliseconds = circuit.duration.map { Int($0 / .milliseconds(1)) }
            state.clockAhead = circuit.clockAhead
            return state
        }
    }
}

extension SESSettings {
    /// The files beside `ses.xml` that it names and that are read when it is loaded.
    var namedFiles: [String] { [clientPFX?.path, processing.trustStore].compactMap(\.self) }
}
