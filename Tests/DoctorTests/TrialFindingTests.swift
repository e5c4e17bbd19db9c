import RelayLink
import Testing

@testable import KernelRelay

/// What is made of the kernel that was on trial.
@Suite struct TrialFindingTests {
    private func finding(_ change: (inout TrialKernel.Outcome) -> Void) -> Check.Finding {
        var outcome = TrialKernel.Outcome(remains: .init(ports: [], connectionFile: "/x"))
        outcome.phases = [.init("launch", milliseconds: 3)]
        outcome.route = "line"
        change(&outcome)
        return Check.judge(outcome, Redactor([]), byHand: "docker exec dev python3 -c 'print(1 + 1)'")
    }

    @Test func everyOutcome() {
        let good = finding { $0.answer = .init(text: "2") }
        #expect(good.mark == .good && good.text == "1+1 = 2 by line" && good.phases.count == 1)
        let odd = finding { $0.answer = .init(text: "two") }
        #expect(odd.mark == .warning && odd.phases.count == 1)
        let wrong = finding { $0.answer = .init(failure: "NameError: x") }
        #expect(wrong.mark == .bad && wrong.text.contains("NameError") && wrong.phases.count == 1)
        #expect(wrong.remedy == "docker exec dev python3 -c 'print(1 + 1)'")
        let refused = finding {
            $0.refusal = Refusal(.kernelStart, "it ended")
            $0.complaint = Array("a\nb\n".utf8)
        }
        #expect(refused.code == "KR-KERNEL-START" && refused.text.hasSuffix("it wrote: a; b"))
        #expect(refused.remedy == ErrorCode.kernelStart.entry.remedy)
    }
}
